import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { AlreadyRunningError, takeLock } from "../../../host/agent/lock.ts";
import { bundleAgent } from "../../../scripts/bundle.ts";

const run = promisify(execFile);
const path = (name: string): string => fileURLToPath(new URL(`../../../host/${name}`, import.meta.url));
const LIMIT_MS = 30_000;

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), "burst-dialer-process-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("the lock of a stateDir", () => {
	test("refuses a second agent while the first lives", async () => {
		const release = await takeLock(dir);
		await expect(takeLock(dir)).rejects.toThrow(AlreadyRunningError);
		await release();
		await (await takeLock(dir))();
	});

	test("refuses one that an agent before boots were told apart holds", async () => {
		const release = await takeLock(dir);
		const [pid, start] = (await readFile(join(dir, "agent.lock"), "utf8")).split(" ");
		await release();
		await writeFile(join(dir, "agent.lock"), `${pid} ${start}\n`);
		await expect(takeLock(dir)).rejects.toThrow(AlreadyRunningError);
	});

	test("takes over that of an earlier boot, whatever process has its number and start now", async () => {
		const release = await takeLock(dir);
		const [pid, start, boot] = (await readFile(join(dir, "agent.lock"), "utf8")).trim().split(" ");
		expect(boot).toMatch(/^[0-9a-f-]{36}$/);
		await release();
		await writeFile(join(dir, "agent.lock"), `${pid} ${start} 00000000-0000-4000-8000-000000000000\n`);
		await (await takeLock(dir))();
	});

	test.each(["999999999 1\n", `${process.pid} 1\n`, "", "nonsense"])("takes a stale one over: %j", async (content) => {
		await writeFile(join(dir, "agent.lock"), content);
		const release = await takeLock(dir);
		expect(await readFile(join(dir, "agent.lock"), "utf8")).toMatch(
			new RegExp(`^${process.pid} \\d*( [0-9a-f-]{36})?\\n$`),
		);
		await release();
		expect(await readdir(dir)).toEqual([]);
	});

	test("of many that find a stale one only one gets it", async () => {
		await writeFile(join(dir, "agent.lock"), "999999999 1\n");
		const results = await Promise.allSettled(Array.from({ length: 5 }, () => takeLock(dir)));
		expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
	});
});

describe("the agent as one file", () => {
	test(
		"helps, and refuses a configuration with exit code 78",
		async () => {
			const bundle = join(await bundleAgent(fileURLToPath(new URL("../../..", import.meta.url)), dir), "agent.mjs");
			const { stdout } = await run(process.execPath, [bundle, "--help"]);
			expect(stdout).toContain("--config FILE");
			await writeFile(join(dir, "agent.json"), "{}");
			await expect(run(process.execPath, [bundle, "--config", join(dir, "agent.json")])).rejects.toMatchObject({
				code: 78,
				stderr: expect.stringContaining("hostId"),
			});
		},
		LIMIT_MS,
	);
});

describe("install.sh", () => {
	const install = (...options: string[]) =>
		run("sh", [
			path("install.sh"),
			...["--root", join(dir, "root"), "--host-id", "host-a", "--control-plane", "https://api.example.com"],
			...["--token-file", join(dir, "token"), "--bundle", join(dir, "agent.mjs"), "--node", process.execPath],
			...options,
		]);
	/** Contents by path. */
	const tree = async (folder: string): Promise<Record<string, string>> => {
		const files: Record<string, string> = {};
		for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
			const file = join(entry.parentPath, entry.name);
			if (entry.isFile()) files[file.slice(folder.length)] = await readFile(file, "utf8");
		}
		return files;
	};
	beforeEach(async () => {
		await mkdir(join(dir, "root/etc/asterisk"), { recursive: true });
		await writeFile(join(dir, "root/etc/asterisk/pjsip.conf"), "; theirs");
		await writeFile(join(dir, "token"), "the-token\n");
		await writeFile(join(dir, "agent.mjs"), "// agent\n");
	});

	test(
		"writes what it says, and nothing twice",
		async () => {
			await install();
			const first = await tree(join(dir, "root"));
			expect(first["/etc/asterisk/pjsip.conf"]).toBe("; theirs\n#tryinclude burst-dialer/pjsip.conf\n");
			expect(Object.keys(first)).not.toContain("/etc/asterisk/iax.conf");
			expect(first["/etc/asterisk/burst-dialer/ari.conf"]).toContain("type=outbound_websocket");
			expect(JSON.parse(first["/etc/burst-dialer/agent.json"] ?? "")).toMatchObject({ hostId: "host-a" });
			for (const secret of ["token", "ari-password", "agent.json"]) {
				expect((await stat(join(dir, "root/etc/burst-dialer", secret))).mode & 0o007).toBe(0);
			}
			await install();
			expect(await tree(join(dir, "root"))).toEqual(first);
		},
		LIMIT_MS,
	);

	test(
		"helps, and refuses what it cannot use",
		async () => {
			expect((await run("sh", [path("install.sh"), "--help"])).stdout).toContain("--host-id ID");
			await expect(install("--host-id", 'a"b')).rejects.toMatchObject({ stderr: expect.stringContaining("--host-id") });
			await expect(install("--etc", "/nowhere")).rejects.toMatchObject({ stderr: expect.stringContaining("/nowhere") });
			await expect(install("--nonsense")).rejects.toMatchObject({ stderr: expect.stringContaining("--nonsense") });
			await chmod(join(dir, "agent.mjs"), 0o644);
			await expect(install("--bundle", join(dir, "none"))).rejects.toMatchObject({
				stderr: expect.stringContaining("npm run build"),
			});
		},
		LIMIT_MS,
	);
});
