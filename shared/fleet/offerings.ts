/** Something that EC2 can be asked for: an instance type in a subnet, bought in one way. */
export interface Offering {
	type: string;
	/** Subnet id; with it comes the zone. */
	subnet: string;
	market: "on-demand" | "spot";
	/** US dollars an hour of the instance, its public IPv4 address included. */
	usdPerHour: number;
}

/** ClientTokens and memories name an offering so: the way of buying is part of it. */
export const offeringKey = ({ type, subnet, market }: Omit<Offering, "usdPerHour">): string =>
	`${market}/${type}/${subnet}`;
