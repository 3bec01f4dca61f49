/**
 * The life of a host, steady or burst: which state may follow which, and what makes it so. Each transition is one conditional write on the
 * state that it leaves; nothing else changes a state.
 */

export const HOST_STATES = [
	"new",
	"launching",
	"booting",
	"active",
	"draining",
	"drained",
	"stopping",
	"stopped",
	"terminated",
	"lost",
	"recovered",
] as const;
export type HostState = (typeof HOST_STATES)[number];

/** Legal transitions, with what makes them. */
export const LIFE: Record<HostState, Partial<Record<HostState, string>>> = {
	// A steady host that was enrolled and never heard of.
	new: { active: "hello", draining: "hello, a drain being wanted" },
	// EC2 was asked to launch or start it.
	launching: {
		booting: "EC2 says running, or the instance enrolled",
		stopping: "the start failed, or nobody needs it any more",
		stopped: "EC2 says stopped",
		terminated: "EC2 says terminated, or does not know it",
	},
	booting: {
		active: "hello",
		draining: "hello, a drain being wanted",
		stopping: "the start failed, or nobody needs it any more",
		stopped: "EC2 says stopped",
		terminated: "EC2 says terminated, or does not know it",
	},
	active: { draining: "a drain", lost: "silence, or its instance is gone" },
	draining: {
		active: "the drain is taken back",
		drained: "two syncs of one epoch with nothing live and nothing unsettled",
		stopping: "its drain deadline passed",
		lost: "silence, or its instance is gone",
	},
	drained: {
		active: "the drain is taken back",
		draining: "hello of an agent that started again",
		stopping: "the fleet stops it",
		stopped: "EC2 says stopped",
		terminated: "EC2 says terminated, or does not know it",
	},
	stopping: { stopped: "EC2 says stopped", terminated: "EC2 says terminated, or does not know it" },
	stopped: {
		launching: "the fleet starts it again",
		stopping: "terminated because enough stopped hosts are kept, or running though nobody started it",
		terminated: "EC2 says terminated, or does not know it",
	},
	terminated: {},
	lost: { recovered: "what it held was recovered" },
	recovered: {
		active: "hello",
		draining: "hello, a drain being wanted",
		stopping: "the fleet stops its instance",
		stopped: "EC2 says stopped",
		terminated: "EC2 says terminated, or does not know it",
	},
};

export const mayFollow = (from: HostState, to: HostState): boolean => LIFE[from][to] !== undefined;

/** Whether the host syncs: it has an epoch that counts. A drained one is granted nothing, but its repeats are answered. */
export const isUp = (state: HostState): boolean => state === "active" || state === "draining" || state === "drained";
/** Whether it is to finish what it has. */
export const isDraining = (state: HostState): boolean => state === "draining" || state === "drained";
/** States from which a hello begins a new epoch: nothing is held there. */
export const HELLO_FROM: readonly HostState[] = ["new", "booting", "recovered", "drained"];
/** States in which the host's instance is, or may be, running: it costs. */
export const COSTS: readonly HostState[] = [
	"launching",
	"booting",
	"active",
	"draining",
	"drained",
	"stopping",
	"lost",
	"recovered",
];
/** States that are, or become, capacity. */
export const CAPACITY: readonly HostState[] = ["launching", "booting", "active"];
