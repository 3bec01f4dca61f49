import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { MachineIdentity } from "../../../local/ec2/types.ts";
import { AddressPool } from "../../../local/machine/addresses.ts";
import { LocalMachines } from "../../../local/machine/machines.ts";
import { type DocumentSigner, makeSigner } from "../../../local/machine/metadata.ts";
import { type AddressBlock, claimAddresses } from "../../../local/voice/real/addresses.ts";
import { simulatedPlane } from "../../../local/voice/simulated/plane.ts";
import { eventually } from "../../support/local-toy/eventually.ts";
import { isRunning } from "../../support/local-toy/processes.ts";

/** Stands for the agent: notes each start with the instance that its metadata service names, and stays. */
const PROGRAM = `
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
const config = JSON.parse(readFileSync(process.argv[3], "utf8"));
const url = config.identity.metadataUrl + "/latest/";
const put = await fetch(url + "api/token", { method: "PUT", headers: { "x-aws-ec2-metadata-token-ttl-seconds": "60" } });
const headers = { "x-aws-ec2-metadata-token": await put.text() };
const read = async (path) => (await fetch(url + path, { headers })).text();
const start = [await read("meta-data/instance-id"), JSON.parse(await read("user-data")).burstDialer.controlPlaneUrl];
appendFileSync(join(config.stateDir, "starts"), start.join(" ") + "\\n");
process.on("SIGUSR2", () => process.exit(78));
setInterval(() => {}, 1000);
`;
const API = "http://127.0.0.1:4000";

let signer: DocumentSigner;
let dir: string;
let block: AddressBlock;
let machines: LocalMachines;
let said: string[];
beforeAll(async () => {
	signer = await makeSigner();
});
beforeEach(async () => {
	dir = mkdtempSync(join(tmpdir(), "machines-"));
	writeFileSync(join(dir, "program.mjs"), PROGRAM);
	block = await claimAddresses();
	said = [];
	machines = new LocalMachines({
		dir: join(dir, "disks"),
		addresses: new AddressPool([block.address(1), block.address(2)]),
		plane: simulatedPlane(),
		program: async () => join(dir, "program.mjs"),
		api: () => API,
		signer,
		agentConfig: {},
		say: (line) => void said.push(line),
	});
});
afterEach(async () => {
	await machines.stop();
	await block.release();
	rmSync(dir, { recursive: true, force: true });
});

const identityOf = (instanceId: string): MachineIdentity => ({
	instanceId,
	imageId: "ami-1",
	instanceType: "c7g.large",
	account: "000000000000",
	region: "us-east-1",
	zone: "us-east-1a",
	pendingAt: 0,
	userData: "",
});
const stateOf = (instanceId: string): string => join(dir, "disks", instanceId, "agent/state");
const startsOf = (instanceId: string): string[] => {
	const file = join(stateOf(instanceId), "starts");
	return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
};
const untilStarts = (instanceId: string, count: number): Promise<void> =>
	eventually(() => expect(startsOf(instanceId)).toHaveLength(count));
const switchOn = async (instanceId: string) => {
	const machine = machines.create(instanceId);
	await machine.on(identityOf(instanceId));
	return machine;
};

describe("a machine", () => {
	test("that is on is a host: an Asterisk and an agent that learns from the metadata who it is", async () => {
		await switchOn("i-0a");
		expect(machines.hosts()).toMatchObject([{ hostId: "burst-0a", instanceId: "i-0a", address: block.address(1) }]);
		const [host] = machines.hosts();
		const { baseUrl, username, password } = host?.voice.ari ?? { baseUrl: "", username: "", password: "" };
		const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
		expect((await fetch(`${baseUrl}/channels`, { headers: { authorization } })).status).toBe(200);
		await untilStarts("i-0a", 1);
		expect(startsOf("i-0a")).toEqual([`i-0a ${API}`]);
	});

	test("off is off at once, its disk stays, and it starts again from it on the same address", async () => {
		const machine = await switchOn("i-0a");
		await untilStarts("i-0a", 1);
		const [before] = machines.hosts();
		const pid = before?.agent.pid ?? 0;
		await machine.off();
		expect(isRunning(pid)).toBe(false);
		expect(machines.hosts()).toEqual([]);
		await expect(fetch(before?.voice.ari.baseUrl ?? "")).rejects.toThrow();
		await machine.off();
		await machine.on(identityOf("i-0a"));
		await untilStarts("i-0a", 2);
		expect(machines.hosts()[0]?.address).toBe(before?.address);
		expect(machines.hosts()[0]?.voice.ari).toEqual(before?.voice.ari);
	});

	test("whose power goes while it starts is off", async () => {
		const machine = machines.create("i-0a");
		const starting = machine.on(identityOf("i-0a"));
		await machine.off();
		await starting;
		expect(machines.hosts()).toEqual([]);
		await machine.on(identityOf("i-0a"));
		expect(machines.hosts()).toHaveLength(1);
	});

	test("is not switched on twice", async () => {
		const machine = await switchOn("i-0a");
		await expect(machine.on(identityOf("i-0a"))).rejects.toThrow(/i-0a is on already/);
	});

	test("destroyed leaves no disk, and its address can be had again, last of all", async () => {
		const first = await switchOn("i-0a");
		await switchOn("i-0b");
		expect(() => machines.create("i-0c")).toThrow(/All 2 addresses/);
		await first.destroy();
		await first.destroy();
		expect(existsSync(join(dir, "disks/i-0a"))).toBe(false);
		await switchOn("i-0c");
		expect(machines.hosts().map(({ hostId, address }) => [hostId, address])).toEqual([
			["burst-0b", block.address(2)],
			["burst-0c", block.address(1)],
		]);
	});

	test("starts an agent that died again; one that was killed from here, or that says a restart is no remedy, stays dead", async () => {
		await switchOn("i-0a");
		await untilStarts("i-0a", 1);
		const agent = () => machines.hosts()[0]?.agent;
		process.kill(agent()?.pid ?? 0, "SIGKILL");
		await untilStarts("i-0a", 2);
		expect(said[0]).toMatch(/agent of i-0a ended \(signal SIGKILL\)/);
		await agent()?.kill();
		expect(agent()?.running).toBe(false);
		await agent()?.start();
		await untilStarts("i-0a", 3);
		process.kill(agent()?.pid ?? 0, "SIGUSR2");
		await eventually(() => expect(said.at(-1)).toMatch(/exit code 78/));
		await new Promise((resolve) => setTimeout(resolve, 1_500));
		expect(agent()?.running).toBe(false);
		expect(startsOf("i-0a")).toHaveLength(3);
	});
});

describe("disks", () => {
	test("a copied one brings the other's state along", async () => {
		await switchOn("i-0a");
		await untilStarts("i-0a", 1);
		const second = await switchOn("i-0b");
		await untilStarts("i-0b", 1);
		expect(() => machines.cloneDisk("i-0a", "i-0b")).toThrow(/i-0b is on/);
		await second.off();
		machines.cloneDisk("i-0a", "i-0b");
		await second.on(identityOf("i-0b"));
		await untilStarts("i-0b", 2);
		expect(startsOf("i-0b").map((line) => line.split(" ")[0])).toEqual(["i-0a", "i-0b"]);
		expect(() => machines.cloneDisk("i-0c", "i-0b")).toThrow(/no machine i-0c/);
	});

	test("new ones are copies of the image, where one is named", async () => {
		await switchOn("i-0a");
		await untilStarts("i-0a", 1);
		machines.useAsImage("i-0a");
		const second = await switchOn("i-0b");
		await untilStarts("i-0b", 2);
		await second.off();
		await second.on(identityOf("i-0b"));
		// Not again at a later start: the disk is its own.
		await untilStarts("i-0b", 3);
		expect(startsOf("i-0b").map((line) => line.split(" ")[0])).toEqual(["i-0a", "i-0b", "i-0b"]);
	});
});
