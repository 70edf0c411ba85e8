// Faults of a stack file: each change, the codes it leads to, and the line that is reported.
import { rows } from "./change.ts";

rows(
  "stack",
  String.raw`
  a site that nobody has | cloudstack-testbed:site: lab => cloudstack-testbed:site: lap | TB100
  a site outside the checkout | cloudstack-testbed:site: lab => cloudstack-testbed:site: ../../etc | TB103
  a site as list | cloudstack-testbed:site: lab => cloudstack-testbed:site: [lab] | TB103
  no site | /  cloudstack-testbed:site: lab\n/ => | TB103 | config:
  a marvin file that does not exist | lab-kvm.cfg => lab-kwm.cfg | TB100
  a marvin file in another folder | lab-kvm.cfg => ../qa/kvm.cfg | TB103
  no marvin file | /  cloudstack-testbed:marvin: lab-kvm.cfg\n/ => | TB103 | config:
  no hypervisor | /  cloudstack-testbed:hypervisor: KVM\n/ => | TB103 | config:
  a hypervisor that no cluster runs | cloudstack-testbed:hypervisor: KVM => cloudstack-testbed:hypervisor: XenServer | TB122
  a profile that is not defined | KVM: lab-kvm => KVM: lab-kwm | TB112
  a profile that is not defined for a hypervisor of no cluster | KVM: lab-kvm => KVM: lab-kvm\n    VMware: esx | TB112 | VMware: esx
  a hypervisor without a profile | KVM: lab-kvm => VMware: lab-kvm | TB122 | profiles:
  no profiles | /  cloudstack-testbed:profiles:\n    KVM: lab-kvm\n/ => | TB122 | config:
  profiles as a text | cloudstack-testbed:profiles:\n    KVM: lab-kvm => cloudstack-testbed:profiles: lab-kvm | TB103
  no generation | /  cloudstack-testbed:generation: "1"\n/ => | TB103 | config:
  an empty generation | generation: "1" => generation: "" | TB103
  a generation as a group | generation: "1" => generation: { a: 1 } | TB103
  a generation of a machine that nobody has | cloudstack-testbed:cloudstack: => cloudstack-testbed:generations:\n    h19: "2"\n  cloudstack-testbed:cloudstack: | TB112 | h19
  a slip in a key | cloudstack-testbed:generation: => cloudstack-testbed:generatoin: | TB102 TB103 | generatoin
  a key without its project | cloudstack-testbed:marvin: => marvin: | TB102 TB103 | marvin: lab-kvm.cfg
  a key of another program | cloudstack-testbed:marvin: => aws:region: eu\n  cloudstack-testbed:marvin: | TB102 | aws:region
  no release of CloudStack | release: 4.20.3.0 => build: 4.20.3.0 | TB102 TB103
  a template without a checksum | release: 4.20.3.0 => release: 4.20.3.0\n    systemVmTemplate: { url: "http://10.91.0.1/t" } | TB103 | systemVmTemplate
  a checksum of another kind | release: 4.20.3.0 => release: 4.20.3.0\n    systemVmTemplate: { url: "http://10.91.0.1/t", sha256: d41d8cd98f00b204e9800998ecf8427e } | TB103 | systemVmTemplate
  a package repository that is no address | packages: http://10.91.0.1/lab/cloudstack => packages: nightly | TB103 | nightly
  a profile of the management server that is not defined | profile: lab-management => profile: rhel | TB112 | profile: rhel
  an unknown log level | cloudstack-testbed:cloudstack: => cloudstack-testbed:logLevel: loud\n  cloudstack-testbed:cloudstack: | TB103 | logLevel
  an unknown limit | cloudstack-testbed:cloudstack: => cloudstack-testbed:limits: { installs: 4 }\n  cloudstack-testbed:cloudstack: | TB102 | limits
  a limit of no resource type | cloudstack-testbed:cloudstack: => cloudstack-testbed:limits: { operations: { run: 4 } }\n  cloudstack-testbed:cloudstack: | TB103 | limits
  a limit below nothing | cloudstack-testbed:cloudstack: => cloudstack-testbed:limits: { installSeconds: 0 }\n  cloudstack-testbed:cloudstack: | TB103 | limits
  a missing secret | / {4}bmc:\n {6}user: lab\n {6}password:\n {8}secure: \S+\n/ => | TB130 | credentials:
  a secret without its user | / {6}user: cobbler\n/ => | TB130 | credentials:
  no credentials | /cloudstack-testbed:credentials:[^]*/ => | TB130 | config:
  credentials as a list | /cloudstack-testbed:credentials:[^]*/ => cloudstack-testbed:credentials: [a]\n | TB103 TB130
  a password in clear text | /password:\n\s+secure: \S+/ => password: lab-cobbler | TB131 | password: lab-cobbler
  a password as number | /password:\n\s+secure: \S+/ => password: 123456 | TB131
  a placeholder instead of a secret | /password:\n\s+secure: \S+/ => password: change-me | TB131
  a password under a key of its own | cloudstack-testbed:cloudstack: => cloudstack-testbed:rootPassword: letmein\n  cloudstack-testbed:cloudstack: | TB102 TB131 | letmein
  a password in an address | packages: http://10.91.0.1/lab/cloudstack => packages: "http://ci:secret@10.91.0.1/repo" | TB131 | packages
  an unknown key of an encrypted value | /secure: (\S+)/ => secured: x | TB103 TB130 | password:
  no configuration | /config:[^]*/ => | TB103 | The stack of the KVM environment
  a configuration that is a list | /config:[^]*/ => config: []\n | TB103
`,
);
