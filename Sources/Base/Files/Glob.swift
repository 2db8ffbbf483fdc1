import Glibc

/// The paths that match a pattern with `*`, `?` or `[…]`, as in a shell, sorted by their bytes.
///
/// A pattern that is the name of a file stays as it is, and so does one without a match.
package func expandedGlob(_ pattern: String) -> [String] {
  var status = stat()
  guard pattern.utf8.contains(where: { "*?[".utf8.contains($0) }), lstat(pattern, &status) != 0
  else { return [pattern] }
  var found = glob_t()
  defer { globfree(&found) }
  guard glob(pattern, GLOB_NOSORT, nil, &found) == 0 else { return [pattern] }
  let paths = (0..<Int(found.gl_pathc)).compactMap { index in
    found.gl_pathv[index].map { String(cString: $0) }
  }
  return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}
