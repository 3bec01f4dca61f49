import type { Aws } from "../aws/aws.ts";
import type { EmulatedEc2 } from "../ec2/types.ts";
import type { FaultCounts, PartialFaults } from "../faults/plan.ts";
import type { BurstHost, LocalMachines } from "../machine/machines.ts";
import type { UseBySource } from "../metering/use.ts";
import type { MeterTotals } from "../metering/write-units.ts";
import type { EmulatedScheduler } from "../scheduler/server.ts";
import type { Carrier, VoicePlane } from "../voice/types.ts";
import type { ApiClient } from "./api-client.ts";
import type { ControlPlaneProcess } from "./control-plane-process.ts";
import type { StackHost } from "./host.ts";

/** The whole system on one machine. */
export interface Stack {
	/** Of the API, for example http://127.0.0.1:4000. */
	api: string;
	/** An operator's token. */
	token: string;
	/** The API with the operator's token. */
	client: ApiClient;
	voice: { kind: VoicePlane["kind"]; note: string } | undefined;
	/** Steady hosts. */
	hosts: StackHost[];
	/** Burst hosts whose machines are on. */
	burstHosts(): BurstHost[];
	/** The computers behind the instances; undefined without burst hosts. */
	machines: LocalMachines | undefined;
	/** Undefined without burst hosts. */
	ec2: EmulatedEc2 | undefined;
	scheduler: EmulatedScheduler;
	carrier: Carrier | undefined;
	aws: Aws;
	/** Physical names of the tables by logical id (`ContactsTable`). */
	tables: Record<string, string>;
	/** API, functions, queues' pollers and schedules: one process, which can be killed and started again. */
	controlPlane: ControlPlaneProcess;
	/** Folder of everything the parts keep and log. */
	dir: string;
	/** Adds a steady host and waits until it is active. */
	addHost(hostId: string, capacity: number): Promise<StackHost>;
	setFaults(faults: PartialFaults): Promise<void>;
	/** How often each fault was injected since the parts were started. */
	faultCounts(): Promise<FaultCounts>;
	/** What DynamoDB would have charged, by table and operation; empty without `meter`. */
	meterTotals(): Promise<MeterTotals>;
	/** What the control plane used so far, by source; units only with `meter`. */
	use(): Promise<UseBySource>;
	stop(): Promise<void>;
}
