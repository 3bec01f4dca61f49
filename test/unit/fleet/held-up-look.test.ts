import { expect, test } from "@jest/globals";
import type { Ec2 } from "../../../shared/fleet/ec2.ts";
import { lookAtFleet } from "../../../shared/fleet/look.ts";
import { atWork, makeBench, TENANT } from "./fleet-bench.ts";

/** Longer than the silence after which a host is lost. */
const HELD_UP_SEC = 40;

test("a look that is held up between reading and deciding takes nobody for silent", async () => {
	const bench = await makeBench();
	await bench.floor(1);
	await atWork(bench, 1);
	const [host] = bench.hosts();
	// EC2 answers late: the host was heard of just before the look, and all the time since.
	const ec2: Ec2 = {
		describe: async () => {
			const list = await bench.ec2.describe();
			bench.pass(HELD_UP_SEC);
			await bench.change(host?.hostId ?? "", { lastSeenAt: bench.now() });
			return list;
		},
		launch: (request) => bench.ec2.launch(request),
		start: (ids) => bench.ec2.start(ids),
		stop: (ids) => bench.ec2.stop(ids),
		terminate: (ids) => bench.ec2.terminate(ids),
		addresses: () => bench.ec2.addresses(),
		associate: (allocationId, instanceId) => bench.ec2.associate(allocationId, instanceId),
	};
	await bench.change(host?.hostId ?? "", { lastSeenAt: bench.now() });
	await lookAtFleet(bench.depsWith({}, ec2), TENANT, "held up");
	expect(bench.fleet().decision).toMatchObject({ wanted: { onDemand: 1 }, up: { onDemand: 1 } });
	expect(bench.hosts()).toHaveLength(1);
	expect(bench.ec2.starts()).toBe(1);
});
