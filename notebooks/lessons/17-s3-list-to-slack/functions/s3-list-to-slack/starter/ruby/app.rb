require "aws-sdk-s3"
require "json"
require "net/http"

# Read once, at init: without the variable the function fails at once.
WEBHOOK_URL = URI(ENV.fetch("WEBHOOK_URL"))
TIMEOUT_S = 2 # for one message; the function's own limit is for all of its work
MAX_TEXT = 3000 # characters that a block of a Slack message shows

S3 = Aws::S3::Client.new # made once for each environment: a warm invocation uses it again

def post(text)
  body = JSON.generate({ text: text })
  answer = Net::HTTP.start(
    WEBHOOK_URL.host, WEBHOOK_URL.port, use_ssl: WEBHOOK_URL.scheme == "https",
    open_timeout: TIMEOUT_S, read_timeout: TIMEOUT_S
  ) do |http|
    http.post(WEBHOOK_URL.request_uri, body, "Content-Type" => "application/json")
  end
  # Net::HTTP raises when no answer comes in time, but not for a 500: so we raise
  raise "Slack answered #{answer.code}: #{answer.body}" unless answer.is_a?(Net::HTTPSuccess)

  puts "posted #{text}"
end

def handler(event:, context:)
  raise NotImplementedError,
        "Post the keys of all objects; return how many objects and messages."
end
