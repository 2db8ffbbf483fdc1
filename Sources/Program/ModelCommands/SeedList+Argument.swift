import ArgumentParser
import Sampling

extension SeedList: ExpressibleByArgument {}
