import type { SimAsteriskConfig } from "./asterisk-types.ts";
import type { CallEnds } from "./call-ends.ts";
import { ABSOLUTE, type CallLimits } from "./call-limits.ts";
import type { SimChannel } from "./channel.ts";
import type { ChannelEvents } from "./channel-events.ts";
import { type DialplanStep, type DialplanTarget, findExtension, stepOf, targetOf } from "./dialplan.ts";
import { amd, amdParameters, untilSilence } from "./hearing.ts";
import { DIALING_APP, type LiveChannels } from "./live-channels.ts";

export interface DialplanRunOptions {
	/** As it stands whenever a line is run. */
	config: Readonly<SimAsteriskConfig>;
	live: LiveChannels;
	events: ChannelEvents;
	ends: CallEnds;
	limits: CallLimits;
}

/** A line's time and what comes of it; `target`: it does not go on with the next line. */
interface Course {
	ms: number;
	/** Variables that it leaves. */
	sets: Record<string, string>;
	target?: DialplanTarget;
}

/** WaitForSilence()'s own. */
const DEFAULT_SILENCE_MS = 1_000;
const TONE_DETECT = "TONE_DETECT(";

/** Runs the dialplan of answered calls. */
export class DialplanRun {
	private readonly options: DialplanRunOptions;

	constructor(options: DialplanRunOptions) {
		this.options = options;
	}

	/** From where the request to originate said. */
	begin(channel: SimChannel): void {
		Object.assign(channel.dialplan, DIALING_APP);
		this.jump(channel, channel.then);
		this.goOn(channel);
	}

	private jump(channel: SimChannel, target: DialplanTarget): void {
		const context = target.context ?? channel.dialplan.context;
		const exten = target.extension ?? channel.dialplan.exten;
		const { priority } = target;
		Object.assign(channel.dialplan, { context, exten, priority });
		channel.lines = findExtension(this.options.config.dialplan, context, exten)?.slice(priority - 1) ?? [];
	}

	/** Runs lines until one takes time or ends the call. */
	private goOn(channel: SimChannel): void {
		const { live, events, ends } = this.options;
		for (let line = channel.lines.shift(); line; line = channel.lines.shift()) {
			const step = stepOf(line, (name) => channel.variables.get(name));
			channel.dialplan.app_name = step.app;
			channel.dialplan.app_data = step.data;
			events.emit(channel, "ChannelDialplan", { dialplan_app: step.app, dialplan_app_data: step.data });
			if (step.kind === "hold") return;
			if (step.kind === "hangup") {
				ends.byHangupLine(channel, step.cause);
				return;
			}
			if (step.kind === "set") this.set(channel, step.name, step.value);
			const { ms, sets, target } = this.courseOf(channel, step);
			const after = (): void => {
				for (const [name, value] of Object.entries(sets)) events.setVariable(channel, name, value);
				if (target === undefined) channel.dialplan.priority += 1;
				else this.jump(channel, target);
			};
			if (ms > 0) {
				live.later(channel, ms, () => {
					after();
					this.goOn(channel);
				});
				return;
			}
			after();
		}
		ends.byDialplan(channel);
	}

	/** Other functions than these have no effect here. */
	private set(channel: SimChannel, name: string, value: string): void {
		const { config, events, limits } = this.options;
		if (name === ABSOLUTE) limits.absolute(channel, Number(value));
		else if (name.startsWith(TONE_DETECT)) {
			const [, ms, there] = /^[^,]*,(\d*),.*g\(([^)]*)\)/.exec(name.slice(TONE_DETECT.length)) ?? [];
			const target = there === undefined ? undefined : targetOf(there);
			const known = config.hasModule("res_tonedetect") && target !== undefined;
			channel.tone = known ? { ms: Number(ms), target } : undefined;
		} else if (!name.includes("(")) events.setVariable(channel, name, value);
	}

	private courseOf(channel: SimChannel, step: DialplanStep): Course {
		const { config, live } = this.options;
		switch (step.kind) {
			case "wait":
				return { ms: step.ms, sets: {} };
			case "play": {
				const ms = config.soundMs(step.sound);
				return { ms: ms ?? 0, sets: { PLAYBACKSTATUS: ms === undefined ? "FAILED" : "SUCCESS" } };
			}
			case "goto":
				return { ms: 0, sets: {}, target: step.target };
			case "amd": {
				if (!config.hasModule("app_amd")) return { ms: 0, sets: { TRYSTATUS: "NOAPP" } };
				const end = amd(channel.audio, live.now() - channel.answeredAt, amdParameters(step.inner));
				return { ms: end.ms, sets: { AMDSTATUS: end.status, AMDCAUSE: end.cause, TRYSTATUS: "SUCCESS" } };
			}
			case "waitForSilence": {
				if (!config.hasModule("app_waitforsilence")) return { ms: 0, sets: { TRYSTATUS: "NOAPP" } };
				const [silence, , limitSec] = step.inner.split(",").map(Number);
				const { tone } = channel;
				const fromMs = live.now() - channel.answeredAt;
				const { by, ms } = untilSilence(channel.audio, {
					fromMs,
					silence: silence || DEFAULT_SILENCE_MS,
					limit: (limitSec || 0) * 1_000,
					tone: tone?.ms,
				});
				// The call is taken away from the application: to that it looks like a hangup.
				if (by === "tone")
					return { ms, sets: { WAITSTATUS: "HANGUP", TRYSTATUS: "SUCCESS" }, ...(tone ? { target: tone.target } : {}) };
				return { ms, sets: { WAITSTATUS: by, TRYSTATUS: "SUCCESS" } };
			}
			default:
				return { ms: 0, sets: {} };
		}
	}
}
