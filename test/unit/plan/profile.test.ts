import { describe, expect, test } from "@jest/globals";
import { MAX_STEPS, ProfileError, parseProfile } from "../../../shared/plan/profile.ts";

const mistakes = (text: string): string => {
	try {
		parseProfile(text);
	} catch (error) {
		if (!(error instanceof ProfileError)) throw error;
		return [error.message, ...error.mistakes.map(({ path, message }) => `${path}: ${message}`)].join("\n");
	}
	throw new Error("it was taken");
};

describe("a demand profile", () => {
	test.each([
		["plain", "hour,channels\n0,40\n1,0\n2,1000\n"],
		["from Windows and a spreadsheet", "\ufeffHour;Channels\r\n0;40\r\n1;0\r\n2;1000\r\n"],
		["other columns too", "channels,name,hour\n40,a,7\n0,b,8\n1000,c,9"],
		["without a header", "1,40\n2,0\n3,1000\n"],
	])("%s", (_, text) => expect(parseProfile(text)).toEqual([40, 0, 1_000]));

	test.each([
		["", "It is empty."],
		["\n\n", "It is empty."],
		["hour,channels\n", "no rows below its header"],
		["time,calls\n0,1\n", 'it has "time", "calls"'],
		["hour,channels\n0,0\n1,0\n", "no demand"],
		["hour,channels\n0,1\n2,5\n", "line 3: hour 2 follows hour 0: hour 1 is missing"],
		["hour,channels\n1,1\n1,5\n", "line 3: hour 1 follows hour 1: hours must count on by one"],
		["hour,channels\n0,many\n", 'line 2: channels is "many"'],
		["hour,channels\n0,-5\n", 'line 2: channels is "-5"'],
		["0,-5\n1,2\n", 'line 1: channels is "-5"'],
		["hour,channels\n0,1.5\n", 'line 2: channels is "1.5"'],
		["hour,channels\n0\n", 'line 2: channels is ""'],
		["hour,channels\nnoon,5\n", 'line 2: hour is "noon"'],
		["hour,channels\n0,9999999\n", "from 0 to 1000000"],
		['hour,channels\n0,"5\n', "It is no CSV"],
	])("%j", (text, words) => expect(mistakes(text)).toContain(words));

	test("all mistakes together", () => {
		expect(mistakes("hour,channels\n0,x\n5,y\n").split("\n")).toHaveLength(4);
	});

	test("more than a year", () => {
		const rows = Array.from({ length: MAX_STEPS + 1 }, (_, i) => `${i},1`);
		expect(mistakes(["hour,channels", ...rows].join("\n"))).toContain(`${MAX_STEPS + 1} rows`);
	});
});
