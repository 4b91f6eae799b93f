import Foundation

/// One way to compute a model that the phone offers: to be tried, not to be trusted by its name.
public protocol AuditionUnit: Sendable {
    var units: ComputeUnits { get }
    /// Opens the model there. The first time this may take minutes.
    ///
    /// - Throws: `Refusal`, or what the runtime says: the unit is refused for it.
    func open() async throws -> any Runner
}

/// One of this phone's.
struct PhoneUnit: AuditionUnit {
    let units: ComputeUnits
    let artifact: Artifact
    let url: URL
    let opener: any ModelOpening

    func open() async throws -> any Runner { try await opener.open(artifact, at: url, units: units) }
}
