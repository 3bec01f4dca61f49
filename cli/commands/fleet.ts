import type { Command } from "commander";
import { Context } from "../context.ts";
import type { Io } from "../io.ts";
import { addScaleCommand, addScheduleCommands } from "./fleet-schedule.ts";
import { describeFleet, fleetSchema } from "./fleet-show.ts";

/** `burst-dialer fleet …` */
export const addFleetCommands = (program: Command, io: Io): void => {
	const fleet = program.command("fleet").description("capacity of all hosts together, and burst hosts");
	fleet
		.command("show")
		.description("capacity and channels by tier; how many burst hosts are wanted, why, and what is in the way")
		.addHelpText("after", "\nExample:\n  $ burst-dialer fleet show")
		.action(async (_options: unknown, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const answer = await client.json(fleetSchema, "GET", "/v1/fleet");
			context.result(answer, describeFleet(answer, io.now()));
		});
	addScaleCommand(fleet, io);
	addScheduleCommands(fleet, io);
};
