/** What a run with burst hosts looked like at one moment. */
export interface Moment {
	/** Seconds since the run began. */
	atSec: number;
	/** Hosts by what they do. */
	steady: number;
	coming: number;
	active: number;
	draining: number;
	/** Channels up, as the hosts say, by tier. */
	steadyLive: number;
	burstLive: number;
	/** US dollars for burst hosts so far, by the second. */
	costUsd: number;
}

const two = (n: number): string => String(n).padStart(2, "0");
const clock = (sec: number): string => `${two(Math.floor(sec / 60))}:${two(Math.floor(sec % 60))}`;

const BAR_WIDTH = 40;

/** A bar of channels: `█` on steady hosts, `▒` on burst hosts. */
const bar = ({ steadyLive, burstLive }: Moment, cap: number): string => {
	const width = (n: number): number => Math.round((n / cap) * BAR_WIDTH);
	const steady = Math.min(BAR_WIDTH, width(steadyLive));
	const both = Math.min(BAR_WIDTH, width(steadyLive + burstLive));
	return `${"█".repeat(steady)}${"▒".repeat(both - steady)}`.padEnd(BAR_WIDTH, "·");
};

export const TIMELINE_HEAD = `  time  channels ${" ".repeat(BAR_WIDTH - 3)}      hosts: steady + burst (coming, draining)    cost`;

/** One line of the timeline. */
export const momentLine = (moment: Moment, cap: number): string => {
	const { steady, active, coming, draining } = moment;
	const channels = String(moment.steadyLive + moment.burstLive).padStart(5);
	const burst = `${steady} + ${active}`.padStart(8);
	const others = [coming > 0 ? `${coming} coming` : "", draining > 0 ? `${draining} draining` : ""].filter(Boolean);
	return ` ${clock(moment.atSec)} ${channels}  ${bar(moment, cap)}  ${burst}  ${others.join(", ").padEnd(24)}  $${moment.costUsd.toFixed(4)}`;
};
