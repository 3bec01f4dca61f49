import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { bundleAgent } from "../../../scripts/bundle.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));
const path = (name: string): string => join(root, "host", name);

let dir: string;
let built: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), "image-"));
	built = await bundleAgent(root, dir);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const provision = (...options: string[]) =>
	run("sh", [
		path("image/provision.sh"),
		...["--from", built, "--root", join(dir, "image"), "--node", process.execPath],
		...options,
	]);
const inImage = (name: string): Promise<string> => readFile(join(dir, "image", name), "utf8");

/** Contents by path; links by what they name. */
const tree = async (folder: string): Promise<Record<string, string>> => {
	const files: Record<string, string> = {};
	for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
		const file = join(entry.parentPath, entry.name);
		if (entry.isFile()) files[file.slice(folder.length)] = await readFile(file, "utf8");
		if (entry.isSymbolicLink()) files[file.slice(folder.length)] = await readlink(file);
	}
	return files;
};

describe("the image of burst hosts", () => {
	test("is configured from an empty folder by the script that installs every host, and twice is once", async () => {
		await mkdir(join(built, "sounds"));
		await writeFile(join(built, "sounds/storm.gsm"), "sound");
		await writeFile(join(built, "dialplan.conf"), "[burst-survey]\nexten => s,1,Hangup()\n");
		await provision();
		const first = await tree(join(dir, "image"));
		await provision();
		expect(await tree(join(dir, "image"))).toEqual(first);

		const config = JSON.parse(await inImage("etc/burst-dialer/agent.json"));
		expect(config).toMatchObject({ identity: {}, asterisk: { events: "outbound", etcDir: "/etc/asterisk" } });
		expect(config).not.toHaveProperty("hostId");
		expect(config).not.toHaveProperty("tokenFile");
		expect(config).not.toHaveProperty("controlPlaneUrl");
		expect(Object.keys(first)).not.toContain("/etc/burst-dialer/token");
		expect(await inImage("var/lib/burst-dialer/sounds/storm.gsm")).toBe("sound");
		expect(await inImage("etc/asterisk/extensions.conf")).toContain("#tryinclude burst-local.conf");
		expect(await inImage("etc/asterisk/http.conf")).toContain("bindaddr=127.0.0.1");
		expect(await inImage("etc/asterisk/pjsip.conf")).toContain("bind=0.0.0.0:5060");
		expect(await inImage("etc/asterisk/burst-dialer/ari.conf")).toContain("type=outbound_websocket");
		// Nothing is left for somebody to fill in, and nothing of the machine that made it.
		for (const [name, text] of Object.entries(first)) {
			if (name.endsWith(".conf"))
				expect({ name, left: /@[A-Z_]+@/.exec(text)?.[0] }).toEqual({ name, left: undefined });
		}
		expect(await readdir(join(dir, "image/var/lib/burst-dialer/state"))).toEqual([]);
		expect((await stat(join(dir, "image/var/lib/burst-dialer/state"))).mode & 0o077).toBe(0);
	}, 30_000);

	test("enrols before Asterisk starts, at every start", async () => {
		await provision("--control-plane", "https://api.example.com");
		const boot = await inImage("etc/systemd/system/burst-dialer-boot.service");
		expect(boot).toContain("Before=asterisk.service");
		expect(boot).toContain("agent.mjs --config /etc/burst-dialer/agent.json --boot");
		const wants = await readdir(join(dir, "image/etc/systemd/system/multi-user.target.wants"));
		expect(wants.sort()).toEqual(["burst-dialer-agent.service", "burst-dialer-boot.service"]);
		expect(JSON.parse(await inImage("etc/burst-dialer/agent.json"))).toMatchObject({
			controlPlaneUrl: "https://api.example.com",
		});
	}, 30_000);

	test("says what is missing or wrong", async () => {
		await expect(provision("--from", join(dir, "none"))).rejects.toMatchObject({
			stderr: expect.stringContaining("npm run build"),
		});
		await expect(provision("--asterisk-version", "22;rm")).rejects.toMatchObject({
			stderr: expect.stringContaining("digits and dots"),
		});
		await expect(provision("--control-plane", 'https://a"b')).rejects.toMatchObject({
			stderr: expect.stringContaining("--control-plane"),
		});
		await expect(provision("--nonsense")).rejects.toMatchObject({ stderr: expect.stringContaining("--nonsense") });
		await expect(
			run("sh", [path("install.sh"), "--burst", "--host-id", "a", "--root", join(dir, "other")]),
		).rejects.toMatchObject({ stderr: expect.stringContaining("leave --host-id and --token-file out") });
	}, 30_000);
});
