import { type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { Context } from "../context.ts";
import { instant, table } from "../format.ts";
import type { Io } from "../io.ts";
import { daysInWords, pointInTime, timeSpan, weekdays, wholeNumber } from "../options.ts";

const scheduleSchema = z.looseObject({
	name: z.string(),
	floor: z.number(),
	days: z.array(z.number()),
	from: z.string(),
	to: z.string(),
	timeZone: z.string(),
	/** Whether it holds now. */
	inForce: z.boolean().nullish(),
});
const scheduleListSchema = z.looseObject({ items: z.array(scheduleSchema) });
type Schedule = z.infer<typeof scheduleSchema>;

const scaleSchema = z.looseObject({ min: z.number(), until: z.string(), note: z.string().nullish() });

const hosts = (n: number): string => (n === 1 ? "1 burst host" : `${n} burst hosts`);

/** One schedule in words. */
export const scheduleInWords = (schedule: Schedule): string => {
	const nextDay = schedule.to <= schedule.from ? " the next day" : "";
	return `at least ${hosts(schedule.floor)} from ${schedule.from} to ${schedule.to}${nextDay}, ${daysInWords(schedule.days)}, ${schedule.timeZone} time`;
};

export const scheduleTable = (schedules: Schedule[]): string =>
	table(
		["schedule", "floor", "from", "to", "days", "time zone", "now"],
		schedules.map((s) => [
			s.name,
			s.floor,
			s.from,
			s.to,
			daysInWords(s.days),
			s.timeZone,
			s.inForce === true ? "in force" : s.inForce === false ? "not now" : null,
		]),
	);

const localTime = (text: string): string => {
	const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
	if (hour === undefined || minute === undefined)
		throw new InvalidArgumentError("It must be a local time from 00:00 to 23:59.");
	return `${hour.padStart(2, "0")}:${minute}`;
};

const schedulePath = (name: string): string => `/v1/fleet/schedules/${encodeURIComponent(name)}`;

interface SetOptions {
	floor: number;
	from: string;
	to: string;
	days: number[];
	timeZone: string;
}

/** `burst-dialer fleet schedule …` */
export const addScheduleCommands = (fleet: Command, io: Io): void => {
	const schedule = fleet.command("schedule").description("burst hosts that are ready at set local times");
	schedule
		.command("set")
		.argument("<name>", "an id for it: lower-case letters, digits and -")
		.description("have at least so many burst hosts ready between two local times; demand works on top of it")
		.requiredOption("--floor <hosts>", "burst hosts", wholeNumber(1))
		.requiredOption("--from <time>", "local time, as 08:30", localTime)
		.requiredOption("--to <time>", "local time; earlier than --from: on the next day", localTime)
		.requiredOption("--time-zone <zone>", "IANA time zone, as Europe/Berlin")
		.option("--days <days>", "mon-fri, or sat,sun (default: every day)", weekdays)
		.addHelpText(
			"after",
			"\nHosts are started so that they are ready at --from, and are let go after --to as soon as nobody needs them.\n\nExample:\n  $ burst-dialer fleet schedule set office --floor 4 --from 08:30 --to 18:00 --days mon-fri --time-zone Europe/Berlin",
		)
		.action(async (name: string, options: SetOptions, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const { floor, from, to, timeZone, days } = options;
			const json = { floor, from, to, timeZone, ...(days === undefined ? {} : { days }) };
			const answer = await client.json(scheduleSchema, "PUT", schedulePath(name), { body: { json } });
			context.result(answer, `Schedule ${answer.name}: ${scheduleInWords(answer)}.`);
		});
	schedule
		.command("list")
		.description("all schedules, and whether they hold now")
		.addHelpText("after", "\nExample:\n  $ burst-dialer fleet schedule list")
		.action(async (_options: unknown, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const answer = await client.json(scheduleListSchema, "GET", "/v1/fleet/schedules");
			context.result(
				answer,
				answer.items.length === 0
					? "There is no schedule: burst-dialer fleet schedule set --help"
					: scheduleTable(answer.items),
			);
		});
	schedule
		.command("remove")
		.argument("<name>", "its id")
		.description("remove a schedule; hosts that nobody needs are let go")
		.addHelpText("after", "\nExample:\n  $ burst-dialer fleet schedule remove office")
		.action(async (name: string, _options: unknown, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const answer = await client.json(z.looseObject({}), "DELETE", schedulePath(name));
			context.result(answer, `Schedule ${name} is removed.`);
		});
};

/** `burst-dialer fleet scale …` */
export const addScaleCommand = (fleet: Command, io: Io): void => {
	fleet
		.command("scale")
		.argument("<hosts>", "burst hosts to have at least; 0 takes it back", wholeNumber(0))
		.description("have at least so many burst hosts for a while, whatever the demand")
		.option("--for <time>", "how long, as 90m or 2h (default: 1h)", timeSpan)
		.option("--until <time>", "until when, ISO 8601", pointInTime(io.now))
		.addHelpText("after", "\nExample:\n  $ burst-dialer fleet scale 4 --for 2h")
		.action(async (min: number, options: { for?: number; until?: number }, command: Command) => {
			if (options.for !== undefined && options.until !== undefined) {
				command.error("error: give --for or --until, not both");
			}
			const context = new Context(io, command);
			const client = await context.client();
			const until = new Date(options.until ?? io.now() + (options.for ?? DEFAULT_SCALE_SEC) * 1_000).toISOString();
			const answer = await client.json(scaleSchema, "POST", "/v1/fleet/scale", { body: { json: { min, until } } });
			const done =
				answer.min === 0
					? "No burst hosts are kept beyond the demand."
					: `At least ${hosts(answer.min)} until ${instant(answer.until)}.`;
			context.result(answer, answer.note ? `${done}\n${answer.note}` : done);
		});
};

/** Long enough to see what happens, short enough to be forgotten without a bill. */
const DEFAULT_SCALE_SEC = 3_600;
