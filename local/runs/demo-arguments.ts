import { Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_CAPACITY } from "../stack/options.ts";

/** The exit status of a command that was called wrongly. */
const USAGE_STATUS = 2;

const integer = (least: number, most: number) => (text: string) => {
	const value = Number(text);
	if (/^\d+$/.test(text) && value >= least && value <= most) return value;
	throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
};

export interface DemoArguments {
	contacts: number;
	channels: number;
	bootSeconds: number;
	asterisk?: "real" | "simulated";
	json?: true;
}

/** Contacts where none are named: enough that the channels are full for a while. */
const DEFAULT_CONTACTS = 300;
const CONTACTS_PER_CHANNEL = 3;

export const parseDemoArguments = (args: string[]): DemoArguments => {
	const options = new Command("npm run demo --")
		.description(
			"Starts the whole dialer on this machine, dials a list with a realistic mix of outcomes, compares the records with the carrier's and stops everything.\n" +
				`One steady host carries ${DEFAULT_CAPACITY} channels; for more than that a peak is dialed over burst hosts, which are started, drained and stopped.\n` +
				"Exits 0 only if no call was lost, none was dialed twice, the caps held and no burst host was left running.",
		)
		.addOption(
			new Option(
				"--contacts <n>",
				`contacts to dial (default: ${DEFAULT_CONTACTS}; with burst hosts ${CONTACTS_PER_CHANNEL} a channel)`,
			).argParser(integer(1, 100_000)),
		)
		.addOption(new Option("--channels <n>", "channels of the trunk").default(60).argParser(integer(1, 3_500)))
		.addOption(
			new Option("--boot-seconds <n>", "how long a burst host takes to boot").default(5).argParser(integer(0, 600)),
		)
		.addOption(new Option("--asterisk <kind>", "insist on real or simulated").choices(["real", "simulated"]))
		.option("--json", "one JSON object on stdout at the end")
		.configureOutput({ writeOut: (text) => process.stderr.write(text) })
		.allowExcessArguments(false)
		.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_STATUS))
		.parse(args, { from: "user" })
		.opts<Omit<DemoArguments, "contacts"> & { contacts?: number }>();
	const usual = options.channels > DEFAULT_CAPACITY ? CONTACTS_PER_CHANNEL * options.channels : DEFAULT_CONTACTS;
	return { ...options, contacts: options.contacts ?? usual };
};
