import { badRequest, type ErrorDetail, unprocessable } from "../contract/errors.ts";
import { e164Schema, privateNumberSchema, type Trunk, type TrunkInput } from "../contract/trunk.ts";
import { countryOf } from "../numbers/check.ts";

/** Fields that only a trunk whose files are rendered has. */
const RENDERED_ONLY = ["host", "port", "username", "secretRef"] as const;

const typeMistakes = (input: TrunkInput): ErrorDetail[] => {
	const mistakes: ErrorDetail[] = [];
	const say = (path: string, message: string): number => mistakes.push({ path, message });
	if (input.type === "existing") {
		if (input.endpoint === undefined) say("endpoint", "is needed for a trunk of type existing");
		for (const field of RENDERED_ONLY) {
			if (input[field] !== undefined)
				say(field, "is not for a trunk of type existing: its endpoint is the operator's own");
		}
		return mistakes;
	}
	if (input.endpoint !== undefined) say("endpoint", "is only for a trunk of type existing");
	if (input.host === undefined) say("host", `is needed for a trunk of type ${input.type}`);
	if (input.secretRef !== undefined && input.username === undefined) say("username", "is needed with secretRef");
	if (input.type === "iax2" && input.format.callerIdIn !== "from") {
		say("format.callerIdIn", "must be from: IAX2 has no SIP headers");
	}
	return mistakes;
};

/**
 * A trunk as it is stored, from what was asked for; throws 400 for fields that its type does not have, 422 for caller ids
 * and countries that cannot be.
 */
export const checkTrunk = (id: string, input: TrunkInput): Trunk => {
	const mistakes = typeMistakes(input);
	if (mistakes.length > 0) throw badRequest(`The trunk has ${mistakes.length} mistake(s).`, mistakes);

	const wrong: ErrorDetail[] = [];
	const countries = new Set(input.countries ?? []);
	for (const [i, callerId] of input.callerIds.entries()) {
		const path = `callerIds[${i}]`;
		if (input.numbering === "private") {
			if (!privateNumberSchema.safeParse(callerId).success) {
				wrong.push({ path, message: "must be digits only: the trunk's numbering is private" });
			}
			continue;
		}
		const country = e164Schema.safeParse(callerId).success ? countryOf(callerId) : undefined;
		if (!country) wrong.push({ path, message: "must be a valid E.164 number of a country: + and 8 to 15 digits" });
		else if (!input.countries) countries.add(country);
	}
	if (wrong.length === 0 && input.numbering === "e164" && countries.size === 0) {
		wrong.push({ path: "countries", message: "name at least one, or give callerIds to take it from" });
	}
	if (wrong.length > 0) throw unprocessable("trunkNotUsable", "The trunk could dial nothing as it is given.", wrong);
	return { ...input, id, countries: [...countries].sort() };
};
