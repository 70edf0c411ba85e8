/** What the benchmarks put into cobbler and dnsmasq; the baselines write the same. */
export interface BenchHost {
  name: string;
  mac: string;
  address: string;
}

/** A network of its own beside the lab's, so that no machine of the lab is concerned. */
export const benchGateway = "10.92.0.1";
export const benchNetmask = "255.255.0.0";
export const benchDomain = "lab.test";

export function benchHosts(count: number): BenchHost[] {
  return Array.from({ length: count }, (_, index) => {
    const [high, low] = [Math.floor(index / 250) + 1, (index % 250) + 1];
    const hex = (byte: number) => byte.toString(16).padStart(2, "0");
    return {
      name: `bench-${String(index).padStart(4, "0")}`,
      mac: `52:54:00:92:${hex(high)}:${hex(low)}`,
      address: `10.92.${high}.${low}`,
    };
  });
}
