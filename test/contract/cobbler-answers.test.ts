// Answer files on the real cobblerd of the lab: templates and snippets, what a machine gets of them, and the check of kickstarts.
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import {
  beginInstall,
  endInstall,
  installState,
  renderAnswerFile,
  snippet,
  system,
  template,
  templateDigest,
} from "../../providers/cobbler/index.ts";
import {
  answers,
  aProfile,
  aSnippet,
  aSystem,
  aTemplate,
  makeObjects,
  removeObjects,
  rewrite,
  server,
  source,
} from "../support/cobbler-objects.ts";
import { byHand } from "../support/cobblerd.ts";
import { apply, drop, failure, labCredentials, observed, ours, testContext, theirs } from "../support/context.ts";
import { fault } from "../support/lab.ts";

let hand: Awaited<ReturnType<typeof byHand>>;
const ourMark = `cloudstack-testbed:${ours.project}/${ours.stack}/${ours.owner}`;

beforeAll(async () => {
  hand = await byHand(server.url);
  await makeObjects();
});
afterAll(removeObjects);

describe.each([
  ["Template", "template", template, aTemplate],
  ["Snippet", "snippet", snippet, aSnippet],
] as const)("%s", (_, kind, general, inputs) => {
  const definition = general as unknown as typeof template;
  const given = { ...aTemplate, ...inputs } as typeof aTemplate;
  const known = Object.fromEntries(Object.entries(given).filter(([key]) => key in definition.inputs.shape)) as typeof aTemplate;
  const copy = { ...known, name: "contract-copy" };
  const read = (name = known.name) => hand.withToken(`read_autoinstall_${kind}`, name);
  const write = (text: string, name = known.name) => hand.withToken(`write_autoinstall_${kind}`, name, text);
  const names = async () => (await hand.withToken(`get_autoinstall_${kind}s`)) as string[];

  afterEach(async () => {
    rewrite(answers);
    await write(`## ${ourMark}\n${answers}`);
    await apply(definition, known);
  });

  test("is made with our mark before its text, and applied again writes nothing", async () => {
    expect(await read()).toMatch(new RegExp(`^## ${ourMark}( shell)?\n`));
    expect(String(await read()).endsWith(`\n${answers}`)).toBe(true);
    expect((await apply(definition, known)).phases).toEqual([]);
  });

  test("shows no drift right after it was made", async () => {
    expect(await observed(definition, known)).toEqual({ sha256: known.sha256 });
  });

  test("a changed text is written and read back", async () => {
    const changed = { ...known, ...rewrite("other\n") };
    expect((await apply(definition, changed)).phases).toEqual(["writing"]);
    expect(String(await read())).toContain("\nother\n");
    expect(await observed(definition, changed)).toEqual({ sha256: templateDigest("other\n") });
  });

  test("a change by hand is seen as another digest, and mended", async () => {
    await write(`## ${ourMark}\nby hand\n`);
    expect(await observed(definition, known)).toEqual({ sha256: templateDigest("by hand\n") });
    expect((await apply(definition, known)).phases).toEqual(["writing"]);
  });

  test("with Windows line ends or none at its end is the same text", async () => {
    const { sha256 } = rewrite(answers.trimEnd().replaceAll("\n", "\r\n"));
    expect(sha256).toBe(known.sha256);
    expect((await apply(definition, known)).phases).toEqual([]);
  });

  test("of any characters comes back as it was", async () => {
    const changed = { ...known, ...rewrite("# ünïcödé ]]> & <tag> 'quotes' \"more\"\n\ttab\n") };
    await apply(definition, changed);
    expect(await observed(definition, changed)).toEqual({ sha256: changed.sha256 });
  });

  test("with a control character is refused before anything is written", async () => {
    const error = await failure(apply(definition, { ...known, ...rewrite("bell \u0007\n") }));
    expect([error.kind, error.code]).toEqual(["invalid", "unsendable"]);
    expect(String(await read())).toContain(answers);
  });

  test("is refused to another owner, who is told whose it is", async () => {
    const error = await failure(apply(definition, { ...known, adopt: true }, testContext(theirs)));
    expect([error.kind, error.code]).toEqual(["conflict", "foreign"]);
    expect(error.message).toContain(`belongs to ${ourMark}`);
  });

  test("is left alone when another owner deletes it", async () => {
    expect((await drop(definition, known, testContext(theirs))).join()).toContain("was left alone");
    expect(await names()).toContain(known.name);
  });

  test("made by hand is refused, and taken over only on request", async () => {
    await write("by hand\n");
    expect((await failure(apply(definition, known))).message).toContain("was not made by this stack");
    expect((await apply(definition, { ...known, adopt: true })).phases).toEqual(["writing"]);
    expect(String(await read())).toContain(ourMark);
  });

  test("left empty by a full disk is written again, for it is nobody's", async () => {
    await write("");
    expect((await apply(definition, known)).phases).toEqual(["writing"]);
  });

  test("whose file changed since the plan is refused, and nothing is written", async () => {
    const error = await failure(apply(definition, { ...known, sha256: "0".repeat(64) }));
    expect([error.kind, error.code]).toEqual(["invalid", "source-changed"]);
  });

  test("whose file is missing is refused by its name", async () => {
    const error = await failure(apply(definition, { ...known, source: `${source}-missing` }));
    expect([error.kind, error.code]).toEqual(["invalid", "source-unreadable"]);
    expect(error.message).toContain(`${source}-missing`);
  });

  test("is removed; removed again, or never made, is success", async () => {
    await apply(definition, copy);
    expect(await drop(definition, copy)).toEqual(["removing"]);
    expect(await names()).not.toContain(copy.name);
    expect(await drop(definition, copy)).toEqual([]);
  });

  test("with a wrong password is refused without another try", async () => {
    const wrong = testContext(ours, { ...labCredentials, wrong: { user: "cobbler", password: "not-this-one" } });
    const error = await failure(apply(definition, { ...known, server: { url: server.url, credential: "wrong" } }, wrong));
    expect([error.kind, error.code]).toEqual(["refused", "login-failed"]);
  });
});

test("a template in use is not removed from under its profile", async () => {
  const error = await failure(drop(template, aTemplate));
  expect([error.kind, error.code]).toEqual(["conflict", "in-use"]);
});

/** Applies our template with another text; the profile uses it. */
async function answerWith(text: string, kind: "shell" | "kickstart" = "shell"): Promise<void> {
  await apply(template, { ...aTemplate, ...rewrite(text), kind });
}

const armed = (token: string, generation: string) => ({ token, generation, passwordHash: "$6$salt$hash/." });

describe("an installation", () => {
  afterEach(() => answerWith(answers));

  test("arms netboot with token and generation, which are no drift of the system", async () => {
    await beginInstall(testContext(), server, aSystem.name, armed("t0k3n", "7"));
    expect(await installState(testContext(), server, aSystem.name)).toMatchObject({
      netbootEnabled: true,
      token: "t0k3n",
      generation: "7",
    });
    expect(await observed(system, aSystem)).toMatchObject({ autoinstallMeta: {} });
    expect((await apply(system, aSystem)).phases).toEqual([]);
    expect(await installState(testContext(), server, aSystem.name)).toMatchObject({ token: "t0k3n" });
  });

  test("gets the answer file with the token and without our mark", async () => {
    const answer = await renderAnswerFile(testContext(), server, aSystem.name);
    expect(answer).toContain('token="t0k3n"');
    expect(answer).not.toContain("cloudstack-testbed");
  });

  test("gets root's password as a hash, with every $ of it", async () => {
    await answerWith(`${answers}password='$getVar("install_password", "*")'\n`);
    expect(await renderAnswerFile(testContext(), server, aSystem.name)).toContain("password='$6$salt$hash/.'");
  });

  test("gets the text of a snippet, without our mark", async () => {
    await answerWith("before\n$SNIPPET('contract/part')\nafter\n");
    const answer = await renderAnswerFile(testContext(), server, aSystem.name);
    expect(answer).toMatch(/before\n+token="t0k3n"\n+after/);
    expect(answer).not.toContain("cloudstack-testbed");
  });

  test("ends with netboot off, as often as it is ended", async () => {
    expect(await endInstall(testContext(), server, aSystem.name)).toBe(true);
    expect(await installState(testContext(), server, aSystem.name)).toMatchObject({ netbootEnabled: false });
    expect(await endInstall(testContext(), server, aSystem.name)).toBe(true);
  });

  test("of another owner's system is neither begun nor ended", async () => {
    const begun = beginInstall(testContext(theirs), server, aSystem.name, armed("x", "1"));
    expect((await failure(begun)).code).toBe("foreign");
    expect(await endInstall(testContext(theirs), server, aSystem.name)).toBe(false);
  });

  test("of a missing system is refused, and its end is success", async () => {
    const begun = beginInstall(testContext(), server, "never-made", armed("x", "1"));
    expect((await failure(begun)).code).toBe("missing");
    expect(await endInstall(testContext(), server, "never-made")).toBe(true);
    expect(await installState(testContext(), server, "never-made")).toBeUndefined();
  });

  test("whose arming fails after it was persisted is armed by the next try", async () => {
    await fault("cobblerd", "save-fails");
    const begun = beginInstall(testContext(), server, aSystem.name, armed("again", "8"));
    expect((await failure(begun).finally(() => fault("cobblerd", "clear"))).code).toBe("trigger-failed");
    await beginInstall(testContext(), server, aSystem.name, armed("again", "8"));
    expect(await hand.call("get_system", aSystem.name)).toMatchObject({ comment: ourMark, netboot_enabled: true });
  });

  test("takes an answer file that merely speaks of errors", async () => {
    await answerWith(`${answers}echo "the last installation had errors"\n`);
    expect(await renderAnswerFile(testContext(), server, aSystem.name)).toContain("had errors");
  });

  test.each([
    ["a broken directive", "#if\n"],
    ["an unknown directive's end", "#end for\n"],
  ])("with %s in its template fails before any machine boots, with cobbler's words", async (_, text) => {
    await answerWith(text);
    const error = await failure(renderAnswerFile(testContext(), server, aSystem.name));
    expect([error.kind, error.code]).toEqual(["invalid", "template-error"]);
    expect(error.message).toContain("errors");
  });
});

/** Every kickstart of the sites in `environments/`, with the release that it installs. */
function shippedKickstarts(): [file: string, osVersion: string][] {
  const all = globSync("environments/*/inventory.yaml").flatMap((inventory) => {
    const { templates = {}, profiles = {}, distros = {} } = parse(readFileSync(inventory, "utf8"));
    return Object.values<{ template: string; distro: string }>(profiles)
      .filter(({ template }) => templates[template]?.kind === "kickstart")
      .map(({ template, distro }) => `${join(dirname(inventory), templates[template].file)} ${distros[distro].osVersion}`);
  });
  return [...new Set(all)].map((one) => one.split(" ") as [string, string]);
}

const kickstart = `text
url --url=http://mirror/os
lang en_US.UTF-8
keyboard us
rootpw --iscrypted $getVar('root_hash', 'x')
timezone UTC --utc
clearpart --all --initlabel
autopart
reboot
%packages
@core
%end
%post
echo "$getVar('install_token', '')" > /etc/testbed-install
%end
`;

describe("a kickstart", () => {
  const check = async (context = testContext()) => {
    await renderAnswerFile(context, server, aSystem.name);
    return context.phases;
  };
  afterEach(() => answerWith(answers));

  test("that is well-formed passes without a word", async () => {
    await answerWith(kickstart, "kickstart");
    expect(await check()).toEqual([]);
  });

  test.each([
    ["an unknown command", kickstart.replace("autopart", "autopartition"), "line 8: Unknown command: autopartition"],
    ["an open section", kickstart.replace("@core\n%end", "@core"), "%end"],
    ["a command removed from this release", `${kickstart}install\n`, "install"],
    ["a missing argument", kickstart.replace(" --url=http://mirror/os", ""), "line 2:"],
  ])("with %s is refused with line and reason before any machine boots", async (_, text, reason) => {
    await answerWith(text, "kickstart");
    const error = await failure(check());
    expect([error.kind, error.code]).toEqual(["invalid", "kickstart-invalid"]);
    expect(error.message).toContain(reason);
    expect(error.message).toContain("RHEL8");
  });

  test("that is refused for a password's arguments does not show them", async () => {
    await answerWith(kickstart.replace("--iscrypted", "--frobnicate=geheim"), "kickstart");
    const error = await failure(check());
    expect(error.message).toContain("rootpw");
    expect(error.message).not.toContain("geheim");
  });

  test("of a template that is not ours is checked as its distro's breed says", async () => {
    await hand.withToken("write_autoinstall_template", aTemplate.name, "frobnicate\n");
    expect((await failure(check())).code).toBe("kickstart-invalid");
    await apply(template, { ...aTemplate, adopt: true });
  });

  test("is one by its distro: on another breed the same text is not checked", async () => {
    await answerWith("frobnicate\n", "kickstart");
    await hand.edit("distro", "contract-distro", { breed: "debian" });
    expect(await check()).toEqual([]);
    await hand.edit("distro", "contract-distro", { breed: "redhat" });
  });

  test("of a system whose answer file is a shell script is none", async () => {
    await answerWith("frobnicate\n", "shell");
    expect(await check()).toEqual([]);
  });

  test("of a release without a known syntax is not checked, with a warning", async () => {
    await answerWith("frobnicate\n", "kickstart");
    await hand.edit("distro", "contract-distro", { os_version: "ovz7" });
    expect((await check()).join()).toContain("knows no syntax for ovz7");
    await hand.edit("distro", "contract-distro", { os_version: "rhel8" });
  });

  test("is not checked where the validator is not installed, with one warning", async () => {
    await answerWith("frobnicate\n", "kickstart");
    const path = process.env.PATH;
    process.env.PATH = "/nonexistent";
    try {
      expect((await check()).join()).toContain("pykickstart");
      expect(await check()).toEqual([]);
    } finally {
      process.env.PATH = path;
    }
  });

  test.each(shippedKickstarts())("that the project ships is well-formed: %s of %s", async (file, osVersion) => {
    await hand.edit("distro", "contract-distro", { os_version: osVersion });
    await answerWith(readFileSync(file, "utf8"), "kickstart");
    expect(await check()).toEqual([]);
    await hand.edit("distro", "contract-distro", { os_version: "rhel8" });
  });

  test("leaves no copy of itself behind", async () => {
    const copies = () => execFileSync("sh", ["-c", "ls -d /tmp/kickstart-* 2>/dev/null | wc -l"], { encoding: "utf8" });
    const earlier = copies();
    await answerWith(kickstart, "kickstart");
    await check();
    expect(copies()).toBe(earlier);
  });
});

test("the profile's own answer file stays what it was", async () => {
  expect(await hand.call("get_profile", aProfile.name)).toMatchObject({ autoinstall: aTemplate.name });
});
