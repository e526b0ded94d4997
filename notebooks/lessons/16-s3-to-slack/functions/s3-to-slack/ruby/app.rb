require "json"
require "net/http"

# Read once, at init: without the variable the function fails at once.
WEBHOOK_URL = URI(ENV.fetch("WEBHOOK_URL"))
TIMEOUT_S = 2 # below the function's own limit, so that the log says what was slow

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
  posted = event["Records"].map do |record| # one as a rule, but it is a list
    bucket = record["s3"]["bucket"]["name"]
    # A key comes URL-encoded, and "+" is a space.
    key = URI.decode_www_form_component(record["s3"]["object"]["key"])
    post("s3://#{bucket}/#{key}")
    key
  end
  { posted: posted }
end
