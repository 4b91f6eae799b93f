import CoreTransferable
import Foundation
import LarIqaKit
import PhotosUI
import SwiftUI
import UniformTypeIdentifiers

/// A photo's file as another app hands it over: unchanged, so that no second compression is scored.
struct PhotoData: Transferable, Sendable {
    let data: Data

    static var transferRepresentation: some TransferRepresentation {
        DataRepresentation(importedContentType: .image) { PhotoData(data: $0) }
    }
}

extension PickedPhoto {
    /// - Parameter number: in the order of the choice, for photos without names of their own.
    init(_ item: PhotosPickerItem, number: Int?) {
        let name = number.map { "Photo \($0)" } ?? "Photo"
        self.init(
            name: name,
            source: .file {
                guard let photo = try await item.loadTransferable(type: PhotoData.self) else {
                    throw Refusal("\(name): expected a photo from the library, came none; download it first")
                }
                return photo.data
            })
    }
}
