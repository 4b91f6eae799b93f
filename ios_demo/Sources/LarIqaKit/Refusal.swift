import Foundation

/// The one error that means "the input or the request was wrong": what was expected, what came, what to do.
///
/// The words are those of the Python side (`lariqa/errors.py`); a test keeps the two equal.
public struct Refusal: Error, Equatable, Sendable, LocalizedError, CustomStringConvertible {
    /// The sentence for the user.
    public let sentence: String

    public init(_ sentence: String) {
        self.sentence = sentence
    }

    public var errorDescription: String? { sentence }
    public var description: String { sentence }

    /// Whatever went wrong, as a sentence: a refusal's own, or what the system says.
    public static func sentence(for error: any Error) -> String {
        (error as? Refusal)?.sentence ?? error.localizedDescription
    }
}
