require "json"
require "net/http"

# Read once, at init: without the variable the function fails at once, not at its first message.
WEBHOOK_URL = URI(ENV.fetch("WEBHOOK_URL"))
TIMEOUT_S = 2 # below the function's own limit, so that the log says what was slow

def post(text)
  body = JSON.generate({ text: text })
  answer = Net::HTTP.start(WEBHOOK_URL.host, WEBHOOK_URL.port, use_ssl: WEBHOOK_URL.scheme == "https",
                           open_timeout: TIMEOUT_S, read_timeout: TIMEOUT_S) do |http|
    http.post(WEBHOOK_URL.request_uri, body, "Content-Type" => "application/json")
  end
  # Net::HTTP raises when nobody answers in time, and takes a 500 for an answer: raise, to fail as well
  raise "Slack answered #{answer.code}: #{answer.body}" unless answer.is_a?(Net::HTTPSuccess)

  puts "posted #{text}"
end

def handler(event:, context:)
  raise NotImplementedError, "Post the address s3://<bucket>/<key> of every record, decoded, and return the keys as { posted: keys }."
end
