import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type MetadataService, makeSigner, startMetadata } from "../../../local/machine/metadata.ts";
import { bundleAgent } from "../../../scripts/bundle.ts";

/** What an instance runs before its Asterisk starts, as a process of its own. */

const run = promisify(execFile);
const LIMIT_MS = 30_000;
const TOKEN = "bd_host_of-this-test";

let dir: string;
let server: Server;
let metadata: MetadataService;
let status: number;
let posts: Record<string, unknown>[];

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), "burst-dialer-boot-"));
	posts = [];
	status = 201;
	server = createServer((req, res) => {
		const chunks: Buffer[] = [];
		req.on("data", (chunk: Buffer) => chunks.push(chunk));
		req.on("end", () => {
			posts.push({ url: req.url, ...JSON.parse(Buffer.concat(chunks).toString("utf8")) });
			res
				.writeHead(status)
				.end(
					JSON.stringify(
						status < 300
							? { hostId: "burst-0123456789abcdef0", token: TOKEN, publicAddress: "198.51.100.4" }
							: { error: { code: "enrolledTwice", message: "twice" } },
					),
				);
		});
	}).listen(0, "127.0.0.1");
	await new Promise((resolve) => server.once("listening", resolve));
	metadata = await startMetadata({
		identity: {
			instanceId: "i-0123456789abcdef0",
			imageId: "ami-0aaaaaaaaaaaaaaaa",
			instanceType: "c7g.large",
			account: "123456789012",
			region: "eu-west-1",
			zone: "eu-west-1a",
			pendingAt: Date.now(),
			userData: JSON.stringify({
				burstDialer: { controlPlaneUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
			}),
			publicAddress: "192.0.2.7",
		},
		address: "127.0.0.1",
		signer: await makeSigner(),
	});
	await writeFile(join(dir, "password"), "secret\n", { mode: 0o600 });
	await writeFile(
		join(dir, "agent.json"),
		JSON.stringify({
			identity: { metadataUrl: metadata.url, localNets: ["10.8.0.0/16"] },
			stateDir: join(dir, "state"),
			secretsDir: join(dir, "secrets"),
			asterisk: {
				ari: "http://127.0.0.1:1/ari",
				username: "x",
				passwordFile: join(dir, "password"),
				etcDir: join(dir, "etc"),
			},
		}),
	);
});
afterEach(async () => {
	await metadata.stop();
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
	await rm(dir, { recursive: true, force: true });
});

/** The agent as it is shipped. */
const boot = async () => {
	const bundle = join(await bundleAgent(fileURLToPath(new URL("../../..", import.meta.url)), dir), "agent.mjs");
	return run(process.execPath, [bundle, "--config", join(dir, "agent.json"), "--boot"]);
};

describe("--boot", () => {
	test(
		"enrols the instance and leaves its public address for Asterisk",
		async () => {
			const { stderr } = await boot();
			expect(posts).toMatchObject([{ url: "/v1/hosts/enrol", nonce: expect.any(String) }]);
			const nat = await readFile(join(dir, "etc/burst-dialer/nat.conf"), "utf8");
			// The one that the fleet gave it.
			expect(nat).toMatch(/^external_media_address=198\.51\.100\.4$/m);
			expect(nat).toMatch(/^local_net=127\.0\.0\.1\/32$/m);
			expect(nat).toMatch(/^local_net=10\.8\.0\.0\/16$/m);
			expect(await readdir(join(dir, "state"))).toEqual(["instance.json"]);
			expect(stderr).not.toContain(TOKEN);
			expect(stderr).toContain('"event":"enrolled"');
		},
		LIMIT_MS,
	);

	test(
		"that is refused for good ends with 78, and Asterisk has the address all the same",
		async () => {
			status = 403;
			await expect(boot()).rejects.toMatchObject({
				code: 78,
				stderr: expect.stringContaining(
					"EnrolRefusedError: The control plane does not enrol instance i-0123456789abcdef0",
				),
			});
			expect(await readFile(join(dir, "etc/burst-dialer/nat.conf"), "utf8")).toContain("192.0.2.7");
			expect(await readdir(join(dir, "state"))).toEqual(["instance.json"]);
		},
		LIMIT_MS,
	);

	test(
		"is for instances only",
		async () => {
			const config = JSON.parse(await readFile(join(dir, "agent.json"), "utf8"));
			const { identity: _, ...rest } = config;
			const told = { ...rest, hostId: "h", tokenFile: join(dir, "password"), controlPlaneUrl: "https://a.example" };
			await writeFile(join(dir, "agent.json"), JSON.stringify(told));
			await expect(boot()).rejects.toMatchObject({ code: 78, stderr: expect.stringContaining("--boot") });
		},
		LIMIT_MS,
	);
});
