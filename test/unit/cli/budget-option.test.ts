import { expect, test } from "@jest/globals";
import { budgetOf } from "../../../cli/options.ts";

test.each([
	["50", { usd: 50, atLimit: "pause" }],
	["day=20.5", { usdPerDay: 20.5, atLimit: "pause" }],
	["50,day=20,at=noNewHosts", { usd: 50, usdPerDay: 20, atLimit: "noNewHosts" }],
	["day=20, at=pause", { usdPerDay: 20, atLimit: "pause" }],
])("%s", (text, budget) => expect(budgetOf(text)).toEqual(budget));

test.each(["", "0", "-5", "fifty", "50,20", "at=pause", "50,at=stop", "day=", "1e9", "50,week=3"])(
	"%j is refused",
	(text) => {
		expect(() => budgetOf(text)).toThrow("It must be as in 50");
	},
);
