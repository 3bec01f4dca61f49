/** The voice plane cannot be had or does not work here. The message says what, where and how to mend it. */
export class VoiceError extends Error {
	override readonly name = "VoiceError";
}
