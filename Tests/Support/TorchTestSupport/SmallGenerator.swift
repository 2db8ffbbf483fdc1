package import Networks
import Torch
import TorchNN

extension GeneratorConfiguration {
  /// Of 16×16 pictures: latents of 8 numbers, features of 6, few channels.
  package static func small(channelBase: Int = 64, styleWidth: Int = 10) -> Self {
    var shape = GeneratorConfiguration(resolution: 16)
    shape.zDimension = 8
    shape.wDimension = 8
    shape.featureDimension = 6
    shape.styleWidth = styleWidth
    shape.mappingLayers = 2
    shape.channelBase = channelBase
    shape.channelMax = 8
    return shape
  }
}

extension DiscriminatorConfiguration {
  /// The one beside `GeneratorConfiguration.small`.
  package static func small(channelBase: Int = 64) -> Self {
    var shape = DiscriminatorConfiguration(resolution: 16)
    shape.featureDimension = 6
    shape.channelBase = channelBase
    shape.channelMax = 8
    return shape
  }
}

/// A generator of 16×16 pictures whose noise shows, for tests of what paints with one.
package func smallGenerator() -> Generator {
  let generator = Generator(.small(styleWidth: 8), random: SeededRandom(seed: 1))
  generator.setTrainable(false)
  for entry in generator.state where entry.name.hasSuffix("noise_strength") {
    withoutGradients { entry.tensor.assign(Tensor([Float(0.5)], shape: [])) }
  }
  return generator
}
