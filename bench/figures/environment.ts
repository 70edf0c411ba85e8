import { type Figure, type Group, type Sample, sharedRun } from "../figure.ts";
import { enlargeSite } from "../large-site.ts";
import { StackRun } from "../stack-run.ts";
import { emptyUp } from "./installs.ts";

const HOSTS = 100;

/** A whole environment from nothing, once per sample; between two of them it is destroyed, which leaves the machines off. */
class Environments implements Group {
  readonly #make: () => StackRun;
  #stack: StackRun | undefined;

  constructor(make: () => StackRun) {
    this.#make = make;
  }

  readonly fromNothing = sharedRun(async () => {
    const empty = await emptyUp();
    if (!this.#stack) {
      this.#stack = this.#make();
      await this.#stack.begin();
    } else await this.#stack.destroy();
    const { seconds, chain, peakMegabytes } = await this.#stack.up();
    return { up: seconds, empty, chain, peakMegabytes };
  });

  readonly overChain = async (index: number): Promise<Sample> => {
    const parts = await this.fromNothing(index);
    return { value: (parts.up - parts.empty) / parts.chain, parts };
  };

  async end(): Promise<void> {
    await this.#stack?.end();
    this.#stack = undefined;
  }
}

const whole = new Environments(() => new StackRun({ name: "environment", machines: "qemu", count: 4 }));
const large = new Environments(
  () => new StackRun({ name: "hosts", machines: "light", count: HOSTS, edit: (site) => enlargeSite(site, HOSTS) }),
);

export const environmentFigures: Figure[] = [
  {
    id: "environment-chain",
    what: "`up` from off to the management server ready, QEMU hosts, minus that of one empty resource / longest chain of operations",
    unit: "ratio",
    must: 1.05,
    command: "make bench NAME=environment-chain",
    group: whole,
    measure: whole.overChain,
  },
  {
    id: "hosts-chain",
    what: `the same with ${HOSTS} light hosts`,
    unit: "ratio",
    must: 1.1,
    command: "make bench NAME=hosts-chain",
    group: large,
    measure: large.overChain,
  },
  {
    id: "hosts-memory",
    what: `provider process with ${HOSTS} hosts that install: resident memory, largest`,
    unit: "MB",
    must: 200,
    command: "make bench NAME=hosts-memory",
    group: large,
    async measure(index) {
      const parts = await large.fromNothing(index);
      return { value: parts.peakMegabytes, parts };
    },
  },
];
