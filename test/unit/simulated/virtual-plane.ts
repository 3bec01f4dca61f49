import { SimAri } from "../../../local/voice/simulated/ari.ts";
import { SimAsteriskCore } from "../../../local/voice/simulated/asterisk-core.ts";
import type { SimEvent } from "../../../local/voice/simulated/asterisk-types.ts";
import { SimCarrierCore } from "../../../local/voice/simulated/carrier-core.ts";
import { simEndpoint } from "../../../local/voice/simulated/channel.ts";
import { type SimClock, seededRandom } from "../../../local/voice/simulated/clock.ts";
import { dialplanOf } from "../../../local/voice/simulated/dialplan.ts";
import { SimNetwork } from "../../../local/voice/simulated/network.ts";

const START_MS = Date.UTC(2026, 10, 23, 12);

/** A clock that a test moves. */
export class VirtualClock implements SimClock {
	private time = START_MS;
	private serial = 0;
	private readonly timers = new Map<number, { at: number; fire: () => void }>();

	now(): number {
		return this.time;
	}

	setTimer(delayMs: number, fire: () => void): unknown {
		const id = ++this.serial;
		this.timers.set(id, { at: this.time + Math.max(0, delayMs), fire });
		return id;
	}

	clearTimer(timer: unknown): void {
		this.timers.delete(timer as number);
	}

	/** Runs what falls due within so many ms, in order. */
	advance(ms: number): void {
		const end = this.time + ms;
		for (;;) {
			let next: [number, { at: number; fire: () => void }] | undefined;
			for (const entry of this.timers) if (entry[1].at <= end && (!next || entry[1].at < next[1].at)) next = entry;
			if (!next) break;
			this.timers.delete(next[0]);
			this.time = Math.max(this.time, next[1].at);
			next[1].fire();
		}
		this.time = end;
	}
}

export const CARRIER = "127.0.0.200:5060";

/** One host, one carrier, one trunk, under a virtual clock. */
export const virtualPlane = ({ seed = 1, qualifySec = 0 } = {}) => {
	const clock = new VirtualClock();
	const network = new SimNetwork({ clock, random: seededRandom(seed) });
	const carrier = new SimCarrierCore({ network, address: "127.0.0.200", port: 5060 });
	const asterisk = new SimAsteriskCore({ network, address: "127.0.0.11", random: seededRandom(seed + 1) });
	asterisk.configure({
		endpoints: [simEndpoint("trunk", CARRIER, qualifySec), simEndpoint("nobody", "127.0.0.201:5060")],
		dialplan: dialplanOf({ out: { s: ["Wait(60)", "Hangup(16)"], play: ["Playback(tune)", "Hangup(16)"] } }),
		channelVars: ["CALL"],
		soundMs: (sound) => (sound === "tune" ? 2_000 : undefined),
	});
	asterisk.start();
	const events: SimEvent[] = [];
	asterisk.onEvent((event) => events.push(event));
	const ari = new SimAri({ clock, core: asterisk, asteriskId: "02:00:00:00:00:0b" });
	const originate = (channelId: string, number: string, more: Record<string, unknown> = {}) =>
		asterisk.originate({
			channelId,
			endpoint: `PJSIP/${number}@trunk`,
			context: "out",
			extension: "s",
			timeoutSec: 30,
			...more,
		});
	const ended = (channelId: string) =>
		events
			.filter((event) => event.channelId === channelId && event.json.type === "ChannelDestroyed")
			.map(({ json }) => [json["cause"], json["tech_cause"]]);
	return { clock, network, carrier, asterisk, ari, events, originate, ended };
};
