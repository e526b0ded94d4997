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

# All keys of the bucket: S3 gives 1,000 at a time, and each_page asks for the rest.
def keys_of(bucket)
  S3.list_objects_v2(bucket: bucket).each_page.flat_map { |page| page.contents.map(&:key) }
end

# The lines as few texts, each of at most MAX_TEXT characters, split at line ends.
def texts_of(lines)
  lines.drop(1).each_with_object([lines.first]) do |line, texts|
    longer = "#{texts.last}\n#{line}"
    longer.length <= MAX_TEXT ? texts[-1] = longer : texts << line
  end
end

def handler(event:, context:)
  bucket = event["Records"][0]["s3"]["bucket"]["name"]
  keys = keys_of(bucket)
  title = keys.empty? ? "s3://#{bucket} is empty." : "Objects in s3://#{bucket}: #{keys.length}"
  texts = texts_of([title, *keys])
  texts.each { |text| post(text) }
  { objects: keys.length, messages: texts.length }
end
