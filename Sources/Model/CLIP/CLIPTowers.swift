/// The towers of a CLIP that are read from a file.
///
/// Of a ViT-B/32 the image tower has 88 of 151 million parameters: who needs features of texts only
/// leaves it in the file.
public enum CLIPTowers: Sendable {
  /// Both.
  case both
  /// That of the texts.
  case texts
  /// That of the images.
  case images

  /// Whether a tensor is read, by its name under any of `CLIPNaming`.
  func contain(_ name: String) -> Bool {
    if self == .both { return true }
    let name = CLIPNaming.stripped(name)
    let isOfImages = ["visual.", "vision_model.", "visual_projection."].contains {
      name.hasPrefix($0)
    }
    return isOfImages == (self == .images)
  }
}
