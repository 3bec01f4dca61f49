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

/** What hosts that run for so many hours of every working day cost, US dollars. A year is twelve such months. */
export const planTable = (input: TableInput): { perDay: number; perMonth: number; perYear: number } => {
	const perDay = Exact.of(input.pricePerHour).times(input.hours).times(input.hosts);
	const perMonth = perDay.times(input.days);
	return { perDay: perDay.toNumber(), perMonth: perMonth.toNumber(), perYear: perMonth.times(12).toNumber() };
};
