import Foundation

/// What the kit needs of the system that it runs on. Apple's is `Platform.apple` (LarIqaApple).
public struct Platform: Sendable {
    public let opener: any ModelOpening
    /// That the opener opens, the best first.
    public let formats: [String]
    public let decoder: any PhotoDecoding
    public let probe: any DeviceProbe
    public let auditions: AuditionStore
    /// Name and version of the app, as rows have it; after an update the audition is held again.
    public let app: String

    public init(
        opener: any ModelOpening, formats: [String], decoder: any PhotoDecoding, probe: any DeviceProbe,
        auditions: AuditionStore, app: String
    ) {
        self.opener = opener
        self.formats = formats
        self.decoder = decoder
        self.probe = probe
        self.auditions = auditions
        self.app = app
    }
}
