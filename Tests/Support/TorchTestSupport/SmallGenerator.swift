package import Networks
import Torch
import TorchNN

/// A generator of 16×16 pictures whose noise shows, for tests of what paints with one.
///
/// Its latents have 8 numbers and its features 6.
package func smallGenerator() -> Generator {
  var shape = GeneratorConfiguration(resolution: 16)
  shape.zDimension = 8
  shape.wDimension = 8
  shape.styleWidth = 8
  shape.featureDimension = 6
  shape.mappingLayers = 2
  shape.channelBase = 64
  shape.channelMax = 8
  let generator = Generator(shape, random: SeededRandom(seed: 1))
  generator.setTrainable(false)
  for entry in generator.state where entry.name.hasSuffix("noise_strength") {
    withoutGradients { entry.tensor.assign(Tensor([Float(0.5)], shape: [])) }
  }
  return generator
}
