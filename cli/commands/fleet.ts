import type { Command } from "commander";
import { z } from "zod";
import { Context } from "../context.ts";
import { count, table } from "../format.ts";
import type { Io } from "../io.ts";
import { addScaleCommand, addScheduleCommands } from "./fleet-schedule.ts";

const figures = { capacity: z.number(), live: z.number(), granted: z.number() };

const fleetSchema = z.looseObject({
	...figures,
	/** Channels kept aside because calls of lost hosts may still be up. */
	lost: z.number().nullish(),
	tiers: z.record(z.string(), z.looseObject(figures)),
});
type Fleet = z.infer<typeof fleetSchema>;

/** The fleet in words. */
export const describeFleet = (fleet: Fleet): string => {
	const rows = Object.entries(fleet.tiers).map(([tier, n]) => [tier, n.capacity, n.live, n.granted]);
	const lines = [
		table(["tier", "capacity", "live", "granted"], [...rows, ["all", fleet.capacity, fleet.live, fleet.granted]]),
	];
	if (fleet.lost) {
		lines.push("", `${count(fleet.lost)} channels are kept aside: calls of lost hosts may still be up on them.`);
	}
	return lines.join("\n");
};

/** `burst-dialer fleet …` */
export const addFleetCommands = (program: Command, io: Io): void => {
	const fleet = program.command("fleet").description("capacity of all hosts together");
	fleet
		.command("show")
		.description("capacity, live channels and channels granted to hosts, by tier")
		.addHelpText("after", "\nExample:\n  $ burst-dialer fleet show")
		.action(async (_options: unknown, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const answer = await client.json(fleetSchema, "GET", "/v1/fleet");
			context.result(answer, describeFleet(answer));
		});
	addScaleCommand(fleet, io);
	addScheduleCommands(fleet, io);
};
