import { ec2Client } from "../../shared/aws/clients.ts";
import { ec2Adapter } from "../../shared/aws/ec2.ts";
import type { FleetDeps } from "../../shared/fleet/deps.ts";
import { burstFromEnvironment } from "./burst.ts";
import { fromEnvironment } from "./runtime.ts";

/** Gives the fleet's function what it works with; called at every invocation, so it must be cheap after the first. */
export type FleetRuntime = () => FleetDeps;

let built: FleetDeps | undefined;

/** The deployed runtime: built once per cold start. Apart from the others', because EC2's client is large. */
export const fleetFromEnvironment: FleetRuntime = () => {
	if (!built) {
		const burst = burstFromEnvironment();
		built = { ...fromEnvironment(), burst, ec2: ec2Adapter(ec2Client(), burst) };
	}
	return built;
};
