import type { SimOriginate } from "./asterisk-types.ts";
import type { CallEnds } from "./call-ends.ts";
import type { SimChannel } from "./channel.ts";
import type { LiveChannels } from "./live-channels.ts";
import { GIVE_UP_MS } from "./network.ts";

const DEFAULT_TIMEOUT_SEC = 30;

/** The function that limits a call's time. */
export const ABSOLUTE = "TIMEOUT(absolute)";

/** The times after which Asterisk itself ends a call. */
export class CallLimits {
	private readonly live: LiveChannels;
	private readonly ends: CallEnds;

	constructor(live: LiveChannels, ends: CallEnds) {
		this.live = live;
		this.ends = ends;
	}

	/** The ring time, TIMEOUT(absolute), and the time after which an INVITE without any reply has failed. */
	begin(channel: SimChannel, request: SimOriginate): void {
		const ringSec = request.timeoutSec ?? DEFAULT_TIMEOUT_SEC;
		if (ringSec > 0)
			this.live.later(channel, ringSec * 1000, () => {
				if (channel.state !== "Up") this.ends.byRingTime(channel);
			});
		if (ringSec <= 0 || ringSec * 1000 > GIVE_UP_MS)
			this.live.later(channel, GIVE_UP_MS, () => {
				if (!channel.replied) this.ends.byRefusal(channel, 408);
			});
		const absolute = request.variables?.[ABSOLUTE];
		if (absolute !== undefined) this.absolute(channel, Number(absolute));
	}

	/** TIMEOUT(absolute), counted from now; 0 takes it away. */
	absolute(channel: SimChannel, seconds: number): void {
		this.live.cancel(channel.absoluteTimer);
		channel.absoluteTimer = undefined;
		if (!(seconds > 0)) return;
		channel.absoluteTimer = this.live.later(channel, seconds * 1000, () => {
			if (channel.state === "Up") this.ends.byDialplan(channel);
			else this.ends.byRingTime(channel);
		});
	}
}
