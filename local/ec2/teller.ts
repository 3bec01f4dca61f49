import type { CloudOptions } from "./cloud.ts";
import { OwnTimers, type Timers } from "./timers.ts";
import type { Ec2Event, Ec2Faults } from "./types.ts";

/** Tells of changes, as late and as often as the faults say. */
export class Teller {
	readonly #options: Pick<CloudOptions, "onEvent" | "log">;
	readonly #faults: Ec2Faults;
	readonly #timers: Timers;
	/** Events to come. */
	readonly #waiting: OwnTimers;

	constructor(options: Pick<CloudOptions, "onEvent" | "log">, faults: Ec2Faults, timers: Timers) {
		this.#options = options;
		this.#faults = faults;
		this.#timers = timers;
		this.#waiting = new OwnTimers(timers);
	}

	tell(event: Ec2Event): void {
		const { lateMs, duplicateEvents } = this.#faults;
		this.#waiting.after(lateMs, () => {
			try {
				for (let sent = 0; sent <= duplicateEvents; sent++) this.#options.onEvent(event);
			} catch (error) {
				this.#options.log.error("ec2.eventFailed", { instanceId: event.instanceId, error });
			}
		});
	}

	/** Of something that is no change of state. */
	notice(instanceId: string, detailType: Ec2Event["detailType"], detail: Record<string, unknown>): void {
		this.tell({
			detailType,
			at: this.#timers.now(),
			instanceId,
			detail: { "instance-id": instanceId, ...detail },
		});
	}

	/** Nothing is told any more. */
	hush(): void {
		this.#waiting.clear();
	}
}
