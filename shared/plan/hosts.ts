import { Exact } from "./exact.ts";

/** How many hosts so many channels need. @param perHost channels of one host, measured */
export const planHosts = ({ channels, perHost }: { channels: number; perHost: number }): { hosts: number } => ({
	hosts: Math.ceil(channels / perHost),
});

export interface TableInput {
	/** US dollars for an hour of one host. */
	pricePerHour: number;
	/** Paid hours of a working day. */
	hours: number;
	hosts: number;
	/** Working days of a month. */
	days: number;
}

/** US dollars. */
export interface TableAnswer {
	perDay: number;
	perMonth: number;
	perYear: number;
}

const tableOf = (usdPerHour: Exact, { hours, hosts, days }: Omit<TableInput, "pricePerHour">): TableAnswer => {
	const perDay = usdPerHour.times(hours).times(hosts);
	const perMonth = perDay.times(days);
	return { perDay: perDay.toNumber(), perMonth: perMonth.toNumber(), perYear: perMonth.times(12).toNumber() };
};

/** What hosts that run for so many hours of every working day cost, US dollars. A year is twelve such months. */
export const planTable = (input: TableInput): TableAnswer => tableOf(Exact.of(input.pricePerHour), input);

/** The same hours of as many hosts by today's prices. */
export interface TodayTable extends TableAnswer {
	type: string;
	region: string;
	billing: "second" | "hour";
	/** Of one host: the instance, and its public address. */
	instanceUsdPerHour: number;
	ipv4UsdPerHour: number;
	/** As they are billed: by the hour, those that have begun. */
	paidHoursPerDay: number;
}

/** What the hosts of a table cost today, each started once a day. Boot and drain are in its hours, as they were. */
export const tableToday = (
	input: Omit<TableInput, "pricePerHour"> & Pick<TodayTable, "type" | "region" | "billing">,
	instancePerHour: Exact,
	ipv4PerHour: Exact,
): TodayTable => {
	const { type, region, billing } = input;
	const hours = billing === "hour" ? Math.ceil(input.hours) : input.hours;
	return {
		type,
		region,
		billing,
		instanceUsdPerHour: instancePerHour.toDecimal(),
		ipv4UsdPerHour: ipv4PerHour.toDecimal(),
		paidHoursPerDay: hours,
		...tableOf(instancePerHour.plus(ipv4PerHour), { ...input, hours }),
	};
};
