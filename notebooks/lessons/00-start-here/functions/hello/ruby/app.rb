def handler(event:, context:)
  { message: "Hello, #{event.fetch("name", "world")}!" }
end
