import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { AgentConfigError, readAgentConfig } from "../../../host/agent/config-file.ts";
import { matchesPattern } from "../../../host/agent/settings.ts";

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), "burst-dialer-config-"));
	await writeFile(join(dir, "token"), "secret", { mode: 0o600 });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const valid = () => ({
	hostId: "host-a",
	controlPlaneUrl: "https://api.example.com",
	tokenFile: join(dir, "token"),
	stateDir: "/var/lib/burst-dialer",
	secretsDir: "/etc/burst-dialer/secrets",
	asterisk: { ari: "http://127.0.0.1:8088/ari", username: "burst-dialer", passwordFile: join(dir, "token") },
});
const read = async (value: unknown) => {
	const file = join(dir, "agent.json");
	await writeFile(file, typeof value === "string" ? value : JSON.stringify(value));
	return readAgentConfig(file);
};

describe("the agent's configuration", () => {
	test("has defaults for all but what differs from host to host", async () => {
		expect(await read(valid())).toMatchObject({
			contexts: ["burst-*"],
			asterisk: { etcDir: "/etc/asterisk", events: "outbound", listenAddress: "127.0.0.1" },
		});
	});

	test.each([
		["http://api.example.com", false],
		["https://api.example.com/base", true],
		["http://127.0.0.1:4000", true],
		["http://localhost:4000", true],
		["http://127.0.0.1.example.com", false],
		["ftp://127.0.0.1", false],
		["nonsense", false],
	])("control plane %s: %s", async (controlPlaneUrl, ok) => {
		const reading = read({ ...valid(), controlPlaneUrl });
		if (ok) expect((await reading).controlPlaneUrl).toBe(controlPlaneUrl);
		else await expect(reading).rejects.toThrow(/controlPlaneUrl/);
	});

	test("names all mistakes at once", async () => {
		const wrong = {
			...valid(),
			hostId: "Host A",
			controlPlaneUrl: "http://example.com",
			stateDir: "relative",
			extra: 1,
			asterisk: { ...valid().asterisk, ari: "http://192.0.2.1:8088/ari", events: "sideways" },
		};
		const error = await read(wrong).then(
			() => undefined,
			(reason: unknown) => reason,
		);
		expect(error).toBeInstanceOf(AgentConfigError);
		for (const part of ["hostId", "controlPlaneUrl", "stateDir", "extra", "asterisk.ari", "asterisk.events"]) {
			expect((error as Error).message).toContain(part);
		}
	});

	test("refuses secrets that everybody can read, that are missing or empty", async () => {
		await chmod(join(dir, "token"), 0o644);
		await expect(read(valid())).rejects.toThrow(/tokenFile.*chmod[\s\S]*passwordFile/);
		await expect(read({ ...valid(), tokenFile: join(dir, "none") })).rejects.toThrow(/tokenFile.*ENOENT/);
		await chmod(join(dir, "token"), 0o640);
		await writeFile(join(dir, "token"), "\n");
		await expect(read(valid())).rejects.toThrow(/is empty/);
	});

	describe("of an instance", () => {
		const instance = (identity: unknown = {}) => {
			const { hostId: _, tokenFile: __, controlPlaneUrl: ___, ...rest } = valid();
			return { ...rest, identity };
		};

		test("needs neither id nor token nor address of the API", async () => {
			expect(await read(instance())).toMatchObject({ identity: {} });
			expect(await read({ ...instance(), controlPlaneUrl: "https://api.example.com" })).toMatchObject({
				controlPlaneUrl: "https://api.example.com",
			});
		});

		test("and has none of them twice", async () => {
			await expect(read({ ...valid(), identity: {} })).rejects.toThrow(
				/hostId: not together.*tokenFile: not together/s,
			);
			await expect(read({ ...instance(), tokenFile: "/x" })).rejects.toThrow(/tokenFile: not together/);
		});

		test("without `identity` all are needed", async () => {
			const { identity: _, ...rest } = instance();
			await expect(read(rest)).rejects.toThrow(
				/hostId: is missing.*controlPlaneUrl: is missing.*tokenFile: is missing/s,
			);
		});

		test.each([
			["http://169.254.169.254", true],
			["http://127.0.3.4:40123", true],
			["http://169.254.169.254.example.com", false],
			["http://192.0.2.1", false],
			["https://169.254.169.254", false],
			["nonsense", false],
		])("metadata service %s: %s", async (metadataUrl, ok) => {
			const reading = read(instance({ metadataUrl }));
			if (ok) expect((await reading).identity).toEqual({ metadataUrl });
			else await expect(reading).rejects.toThrow(/identity\.metadataUrl/);
		});

		test.each([
			[["10.8.0.0/16"], true],
			[["10.8.0.0"], false],
			[["x"], false],
			["10.8.0.0/16", false],
		])("local networks %j: %s", async (localNets, ok) => {
			const reading = read(instance({ localNets }));
			if (ok) expect((await reading).identity).toEqual({ localNets });
			else await expect(reading).rejects.toThrow(/identity\.localNets/);
		});

		test("unknown members are refused", async () => {
			await expect(read(instance({ region: "eu-west-1" }))).rejects.toThrow(/identity/);
		});
	});

	test("refuses what is no JSON", async () => {
		await expect(read("{")).rejects.toThrow(/cannot be read as JSON/);
	});
});

test.each([
	["burst-survey", ["burst-*"], true],
	["burst-", ["burst-*"], true],
	["xburst-survey", ["burst-*"], false],
	["from-internal", ["burst-*"], false],
	["from-internal", ["burst-*", "from-internal"], true],
	["burst.survey", ["burst-*"], false],
	["anything", ["*"], true],
	["anything", [], false],
])("context %s by %j: %s", (name, patterns, matches) => {
	expect(matchesPattern(name, patterns)).toBe(matches);
});
