import Foundation
import TestSupport
import Testing

@testable import Studio

@Suite("OpenAI's own client", .timeLimit(.minutes(3)))
struct OpenAIClientTests {
  /// Python with the client, if scripts/setup --tests has brought it.
  private static let python = PythonLibrary.python(with: "openai")

  private static let script = """
    import base64, openai, sys
    client = openai.OpenAI(base_url=sys.argv[1], api_key='none', max_retries=0)
    print([model.id for model in client.models.list()])
    answer = client.images.generate(model='emoji', prompt='pizza', n=2, size='64x64',
                                    response_format='b64_json', extra_body={'seed': 5})
    print([base64.b64decode(item.b64_json)[:4] for item in answer.data], answer.size)
    print(client.images.generate(prompt='pizza').data[0].url.startswith(sys.argv[1] + '/pictures/'))
    try:
        client.images.generate(model='other', prompt='pizza')
    except openai.NotFoundError as error:
        print(error.code, error.param)
    try:
        client.images.generate(prompt='pizza', size='1024x1792')
    except openai.BadRequestError as error:
        print(error.param)
    """

  @Test(.enabled(if: python != nil, "scripts/setup --tests installs the client"))
  func `it lists the model, paints, and understands the errors`() async throws {
    let python = try #require(Self.python)
    let routes = try await Emoji.routes()
    try await serving(routes) { port in
      let (output, _) = try await PythonLibrary.run(
        python,
        ["-c", Self.script, "http://127.0.0.1:\(port)/v1"]
      )
      #expect(
        output == """
          ['emoji']
          [b'\\x89PNG', b'\\x89PNG'] 64x64
          True
          model_not_found model
          size

          """
      )
    }
  }
}
