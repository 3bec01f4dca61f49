import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type AddressBlock, claimAddresses } from "../../../local/voice/real/addresses.ts";
import type { SimulatedHost } from "../../../local/voice/simulated/host.ts";
import { type SimulatedCarrier, simulatedPlane } from "../../../local/voice/simulated/plane.ts";
import { AgentEnd } from "../../support/ari/agent-end.ts";
import { AriClient } from "../../support/ari/client.ts";
import { eventually } from "../../support/ari/eventually.ts";

/** What a test can do to a simulated host, through its sockets. What it does by itself is in the contract that it shares with the real one. */
describe("a simulated host", () => {
	let block: AddressBlock;
	let dir: string;
	let host: SimulatedHost;
	let carrier: SimulatedCarrier;
	let agent: AgentEnd;
	let ari: AriClient;

	beforeEach(async () => {
		block = await claimAddresses();
		dir = await mkdtemp(join(tmpdir(), "simulated-host-"));
		const plane = simulatedPlane();
		agent = new AgentEnd();
		const agentAddress = await agent.listen(block.address(11));
		carrier = await plane.startCarrier({ address: block.address(200), port: 5060, dir });
		host = await plane.startHost({ name: "one", address: block.address(11), dir, agentAddress });
		ari = new AriClient(host.ari);
		await mkdir(join(host.etcDir, "burst-dialer"), { recursive: true });
		await writeFile(
			join(host.etcDir, "burst-dialer/pjsip.conf"),
			`[carrier]\ntype=endpoint\naors=carrier\n[carrier]\ntype=aor\ncontact=sip:${carrier.address}:5060\n`,
		);
		expect((await ari.request("PUT", "/asterisk/modules/res_pjsip.so")).status).toBe(204);
		await subscribe();
	});
	afterEach(async () => {
		await host.stop();
		await carrier.stop();
		await agent.close();
		await block.release();
		await rm(dir, { recursive: true, force: true });
	});

	const subscribe = async (): Promise<void> => {
		await agent.connected();
		const path = "/applications/burst-dialer/subscription?eventSource=endpoint:PJSIP/carrier";
		expect((await ari.post(path)).status).toBe(200);
	};
	const originate = async (channelId: string, number: string): Promise<number> =>
		(
			await ari.post("/channels", {
				channelId,
				endpoint: `PJSIP/${number}@carrier`,
				context: "default",
				extension: "1",
				timeout: 20,
			})
		).status;
	const destroyed = (channelId: string): number =>
		agent.events.filter(({ type, channel }) => type === "ChannelDestroyed" && channel?.id === channelId).length;

	test("connects again after its websocket was broken, and what happened meanwhile comes then", async () => {
		host.dropWebsocket();
		expect(await originate("call-1", "2")).toBe(200);
		await eventually(() => carrier.core.calls()[0]?.endedAt !== undefined, "the end of the call");
		await eventually(() => destroyed("call-1") === 1, "its event");
	});

	test("an originate whose answer is lost was carried out; one that was lost before was not", async () => {
		host.faults.loseOriginateAnswers = 1;
		await expect(originate("call-1", "7")).rejects.toThrow();
		expect(await originate("call-1", "7")).toBe(409);
		host.faults.loseOriginates = 1;
		await expect(originate("call-2", "7")).rejects.toThrow();
		expect((await ari.get("/channels/call-2")).status).toBe(404);
		host.faults.refuseOriginates = 1;
		expect(await originate("call-2", "7")).toBe(500);
		expect(carrier.core.calls().length).toBeLessThanOrEqual(1);
	});

	test("a stopped process answers once it goes on", async () => {
		host.pause();
		let answered = false;
		const answer = originate("call-1", "2").then((status) => {
			answered = true;
			return status;
		});
		// Time enough for an answer that must not come.
		await new Promise((resolve) => setTimeout(resolve, 100));
		expect(answered).toBe(false);
		expect(host.core.liveChannels()).toBe(0);
		host.resume();
		expect(await answer).toBe(200);
	});

	test("the carrier's trunk can be down", async () => {
		carrier.setDown(true);
		expect(await originate("call-1", "2")).toBe(200);
		await agent.until(({ type, peer }) => type === "Dial" && peer?.id === "call-1", "the dialing");
		carrier.setDown(false);
		await eventually(() => destroyed("call-1") === 1, "the repeated INVITE and its refusal");
		expect(carrier.core.calls()).toHaveLength(1);
	});

	test("kill and start again: same address and password, new startup_time, nothing left", async () => {
		expect(await originate("call-1", "7")).toBe(200);
		const before = host.core.startupTime;
		await host.kill();
		await expect(ari.get("/asterisk/ping")).rejects.toThrow();
		await expect(host.stop()).resolves.toBeUndefined();
		await host.start();
		expect((await ari.get("/channels")).body).toEqual([]);
		expect(host.core.startupTime).toBeGreaterThan(before);
		await subscribe();
		expect(destroyed("call-1")).toBe(0);
		expect(await originate("call-1", "2")).toBe(200);
		await eventually(() => destroyed("call-1") === 1, "the end of the call");
		await expect(host.start()).rejects.toThrow(/running already/);
	});

	test("its folder has the files of a real host, without open names", async () => {
		const text = await readFile(join(host.etcDir, "ari.conf"), "utf8");
		expect(text).toContain("type=outbound_websocket");
		expect(text).not.toMatch(/@[A-Z_]+@/);
	});
});
