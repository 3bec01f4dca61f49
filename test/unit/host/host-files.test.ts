import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { HostFiles } from "../../../host/agent/ports.ts";
import { hostFiles } from "../../../host/asterisk/host-files.ts";
import type { HostTrunk } from "../../../shared/contract/host.ts";

let dir: string;
let etcDir: string;
let reloaded: string[];
let asteriskUp: boolean;
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

const trunk = (change: Partial<HostTrunk> = {}): HostTrunk => ({
	id: "carrier-a",
	type: "pjsip",
	host: "sip.example.net",
	codecs: ["ulaw"],
	qualify: "off",
	callerIdIn: "from",
	...change,
});
const files = (contextPatterns = ["burst-*"]): HostFiles =>
	hostFiles({
		etcDir,
		secretsDir: join(dir, "secrets"),
		soundsDirs: [join(dir, "first"), join(dir, "second"), join(dir, "missing")],
		contextPatterns,
		reloadModule: async (module) => {
			if (!asteriskUp) throw new Error("Asterisk is down");
			reloaded.push(module);
		},
		log: quiet,
	});

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), "burst-dialer-host-"));
	etcDir = join(dir, "etc");
	reloaded = [];
	asteriskUp = true;
	for (const folder of ["etc", "secrets", "first", "second"]) await mkdir(join(dir, folder));
	for (const name of ["pjsip.conf", "extensions.conf", "iax.conf"]) {
		await writeFile(join(etcDir, name), `; theirs\n#tryinclude burst-dialer/${name}\n`);
	}
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const ours = (name: string): Promise<string> => readFile(join(etcDir, "burst-dialer", name), "utf8");

describe("files beside Asterisk's", () => {
	test("are written into the agent's own folder only, and only the modules concerned are reloaded", async () => {
		const host = files();
		expect(await host.applyTrunks([trunk()])).toEqual({ problems: {}, unread: false });
		expect((await readdir(etcDir)).sort()).toEqual(["burst-dialer", "extensions.conf", "iax.conf", "pjsip.conf"]);
		expect((await readdir(join(etcDir, "burst-dialer"))).sort()).toEqual(["extensions.conf", "pjsip.conf"]);
		expect(await readFile(join(etcDir, "pjsip.conf"), "utf8")).toBe("; theirs\n#tryinclude burst-dialer/pjsip.conf\n");
		expect(reloaded.sort()).toEqual(["pbx_config.so", "res_pjsip.so"]);
		await host.applyTrunks([trunk(), trunk({ id: "b", type: "iax2" })]);
		expect(reloaded.slice(2)).toEqual(["chan_iax2.so"]);
	});

	test("nothing changed: nothing is written, nothing reloaded", async () => {
		await files().applyTrunks([trunk()]);
		reloaded = [];
		const past = new Date(1_000_000);
		await utimes(join(etcDir, "burst-dialer/pjsip.conf"), past, past);
		await files().applyTrunks([trunk()]);
		expect(reloaded).toEqual([]);
		expect((await stat(join(etcDir, "burst-dialer/pjsip.conf"))).mtime).toEqual(past);
	});

	test("a reload that failed is made up for later, by another agent if need be", async () => {
		asteriskUp = false;
		await files().applyTrunks([trunk()]);
		asteriskUp = true;
		await files().applyTrunks([trunk()]);
		expect(reloaded.sort()).toEqual(["pbx_config.so", "res_pjsip.so"]);
		expect(await readdir(join(etcDir, "burst-dialer"))).not.toContain(".reload");
	});

	test("says whether Asterisk has read what was written: one that boots is asked again when it is up", async () => {
		const host = files();
		asteriskUp = false;
		expect((await host.applyTrunks([trunk()])).unread).toBe(true);
		expect((await host.applyTrunks([trunk()])).unread).toBe(true);
		asteriskUp = true;
		expect((await host.applyTrunks([trunk()])).unread).toBe(false);
		expect(reloaded).toContain("res_pjsip.so");
	});
	test("the secret is read from its file, whose mode is checked", async () => {
		await writeFile(join(dir, "secrets/pw"), "s3cret\n", { mode: 0o644 });
		const withSecret = trunk({ username: "u", secretRef: "host:pw" });
		const { problems } = await files().applyTrunks([withSecret]);
		expect(problems["carrier-a"]).toMatch(/can be read by everybody/);
		expect(await ours("pjsip.conf")).not.toContain("carrier-a");
		await rm(join(dir, "secrets/pw"));
		await writeFile(join(dir, "secrets/pw"), "s3cret\n", { mode: 0o600 });
		expect(await files().applyTrunks([withSecret])).toEqual({ problems: {}, unread: false });
		expect(await ours("pjsip.conf")).toContain("password=s3cret\n");
	});

	test("says which include line is missing", async () => {
		await writeFile(join(etcDir, "pjsip.conf"), ";#tryinclude burst-dialer/pjsip.conf\n");
		const { problems } = await files().applyTrunks([
			trunk(),
			trunk({ id: "theirs", type: "existing", endpoint: "PJSIP/x" }),
		]);
		expect(problems).toEqual({
			"carrier-a": `${join(etcDir, "pjsip.conf")} lacks the line: #tryinclude burst-dialer/pjsip.conf`,
		});
	});
});

describe("the inventory", () => {
	test("sounds by name, the first folder first; other files are left out", async () => {
		for (const name of [
			"first/hello.wav",
			"first/hello.gsm",
			"second/hello.wav",
			"second/bye.ulaw",
			"second/notes.txt",
			"second/b ad.wav",
		]) {
			await writeFile(join(dir, name), "");
		}
		const host = files();
		expect(host.soundPath("hello")).toBeUndefined();
		expect((await host.inventory()).sounds).toEqual(["bye", "hello"]);
		expect(host.soundPath("hello")).toBe(join(dir, "first/hello"));
		expect(host.soundPath("nothing")).toBeUndefined();
	});

	test("contexts of the dialplan and what it includes, by the patterns; templates and comments are none", async () => {
		await mkdir(join(etcDir, "more"));
		await writeFile(
			join(etcDir, "extensions.conf"),
			"[general]\n[burst-one]\nexten => s,1,NoOp()\n[burst-template](!)\n;[burst-commented]\n[burst-two](burst-template) ; x\n[private]\n#include more/*.conf\n#tryinclude missing.conf\n#exec /bin/true\n",
		);
		await writeFile(join(etcDir, "more/a.conf"), '[burst-three]\n#include "extensions.conf"\n');
		await writeFile(join(etcDir, "more/b.txt"), "[burst-no]\n");
		expect((await files().inventory()).contexts).toEqual(["burst-one", "burst-three", "burst-two"]);
		expect((await files(["burst-one", "elsewhere"]).inventory()).contexts).toEqual(["burst-one", "elsewhere"]);
	});
});
