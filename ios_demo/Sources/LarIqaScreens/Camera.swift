import LarIqaApple
import LarIqaKit
import SwiftUI

#if canImport(UIKit)
    import AVFoundation
    import UIKit

    /// Takes a photo with the system's camera; its pixels go to the model as they are, without a second compression.
    struct CameraButton: View {
        @Binding var isShown: Bool
        let model: ScoreViewModel

        var body: some View {
            Button {
                Task { await open() }
            } label: {
                Label("Take a photo", systemImage: "camera")
            }
            .sheet(isPresented: $isShown) {
                CameraView { image in
                    isShown = false
                    if let image { take(image) }
                }
            }
        }

        private func open() async {
            guard UIImagePickerController.isSourceTypeAvailable(.camera) else {
                return model.refuse(PhotoRefusal.noCamera)
            }
            guard await AVCaptureDevice.requestAccess(for: .video) else {
                return model.refuse(PhotoRefusal.cameraRefused)
            }
            isShown = true
        }

        private func take(_ image: UIImage) {
            do {
                guard let pixels = image.cgImage else {
                    throw PhotoRefusal.damaged("Camera photo", "the camera gave no pixels")
                }
                let photo = try ImageIODecoder().photo(
                    from: pixels, orientation: image.imageOrientation.asTag, named: "Camera photo")
                model.score(PickedPhoto(name: "Camera photo", source: .pixels(photo)))
            } catch {
                model.refuse(Refusal(Refusal.sentence(for: error)))
            }
        }
    }

    /// The system's camera screen.
    private struct CameraView: UIViewControllerRepresentable {
        /// Nil: cancelled.
        let finish: (UIImage?) -> Void

        func makeUIViewController(context: Context) -> UIImagePickerController {
            let picker = UIImagePickerController()
            picker.sourceType = .camera
            picker.delegate = context.coordinator
            return picker
        }

        func updateUIViewController(_ picker: UIImagePickerController, context: Context) {}

        func makeCoordinator() -> Coordinator { Coordinator(finish: finish) }

        final class Coordinator: NSObject, UIImagePickerControllerDelegate, UINavigationControllerDelegate {
            private let finish: (UIImage?) -> Void

            init(finish: @escaping (UIImage?) -> Void) {
                self.finish = finish
            }

            func imagePickerController(
                _ picker: UIImagePickerController,
                didFinishPickingMediaWithInfo info: [UIImagePickerController.InfoKey: Any]
            ) {
                finish(info[.originalImage] as? UIImage)
            }

            func imagePickerControllerDidCancel(_ picker: UIImagePickerController) { finish(nil) }
        }
    }

    extension UIImage.Orientation {
        /// EXIF's number for the same turn.
        fileprivate var asTag: LarIqaKit.Orientation {
            switch self {
            case .up: .upright
            case .upMirrored: .mirrored
            case .down: .upsideDown
            case .downMirrored: .flipped
            case .leftMirrored: .transposed
            case .right: .lyingLeft
            case .rightMirrored: .transversed
            case .left: .lyingRight
            @unknown default: .upright
            }
        }
    }
#else
    /// A Mac has no camera screen of this kind.
    struct CameraButton: View {
        @Binding var isShown: Bool
        let model: ScoreViewModel

        var body: some View { EmptyView() }
    }
#endif
