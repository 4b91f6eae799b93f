import Foundation

extension Artifact {
    /// What two scores of this file must differ by to be told apart, in score units, from its own proof: in fp32 twice the worst
    /// error; below it 2 sqrt(2) sd, as both scores have the error; on an accelerator at least twice the worst difference that
    /// its audition saw. The rules are those of tests/golden/make_burst.py, for both phone apps.
    ///
    /// - Parameter auditionWorst: of an accelerator; nil on the CPU.
    /// - Returns: nil where the file was not proved.
    func margin(auditionWorst: Double?) -> Double? { parity?.margin(auditionWorst: auditionWorst) }
}

extension Artifact.Parity {
    func margin(auditionWorst: Double?) -> Double {
        let own = sd.map { 2 * 2.0.squareRoot() * $0 } ?? 2 * worst
        return max(own, auditionWorst.map { 2 * $0 } ?? 0)
    }
}
