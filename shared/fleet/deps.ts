import type { BurstSettings } from "../config/burst-settings.ts";
import type { ApiDeps } from "../contacts/ports.ts";
import type { Ec2 } from "./ec2.ts";

/** What the fleet's functions need beyond {@link ApiDeps}. */
export interface FleetDeps extends ApiDeps {
	burst: BurstSettings;
	ec2: Ec2;
}

/** Entries of EventBridge Scheduler; the adapter is shared/aws/scheduler.ts. */
export interface Scheduler {
	/** Makes or replaces an entry that asks for a look at the fleet at these times. */
	put(entry: SchedulerEntry): Promise<void>;
	/** Harmless where there is none. */
	remove(name: string): Promise<void>;
}
export interface SchedulerEntry {
	/** Unique in the stack: letters, digits, `.`, `-` and `_`, at most 64. */
	name: string;
	/** For example `cron(30 8 ? * MON,TUE *)`. */
	cron: string;
	timeZone: string;
	/** Body of the message to the fleet's queue. */
	message: Record<string, unknown>;
}
export interface ScheduleDeps extends ApiDeps {
	scheduler: Scheduler;
}
