import type { SimClock } from "./clock.ts";

interface Task {
	action: () => void;
	timer: unknown;
	cancelled: boolean;
}

/**
 * The timers of one simulated process, which can be stopped as by SIGSTOP: what falls due meanwhile, or arrives, happens at {@link Tasks.resume}, in
 * order.
 */
export class Tasks {
	private readonly clock: SimClock;
	private readonly pending = new Set<Task>();
	private backlog: (() => void)[] = [];
	private stopped = false;

	constructor(clock: SimClock) {
		this.clock = clock;
	}

	get paused(): boolean {
		return this.stopped;
	}

	/** Runs it now, or at resume. */
	run(action: () => void): void {
		if (this.stopped) this.backlog.push(action);
		else action();
	}

	/** @returns a handle for {@link Tasks.cancel} */
	later(delayMs: number, action: () => void): unknown {
		const task: Task = { action, timer: undefined, cancelled: false };
		task.timer = this.clock.setTimer(delayMs, () => {
			this.pending.delete(task);
			this.run(() => {
				if (!task.cancelled) task.action();
			});
		});
		this.pending.add(task);
		return task;
	}

	cancel(handle: unknown): void {
		if (handle === undefined) return;
		const task = handle as Task;
		task.cancelled = true;
		this.clock.clearTimer(task.timer);
		this.pending.delete(task);
	}

	pause(): void {
		this.stopped = true;
	}

	resume(): void {
		this.stopped = false;
		while (!this.stopped && this.backlog.length > 0) this.backlog.shift()?.();
	}

	/** Drops everything, the backlog too. */
	clear(): void {
		for (const task of this.pending) {
			task.cancelled = true;
			this.clock.clearTimer(task.timer);
		}
		this.pending.clear();
		this.backlog = [];
		this.stopped = false;
	}
}
