# A Lambda runtime for Ruby: loads the handler that _HANDLER names and serves invocations from the Runtime API.
# Protocol: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. Names of errors are those of AWS's own
# Ruby runtime: Function<Name> for what the handler raises, Init<Name> for what loading it raises.

require "json"
require "net/http"

class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :deadline_ms, :client_context,
              :function_name, :function_version, :memory_limit_in_mb, :log_group_name, :log_stream_name

  def initialize(headers)
    @aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    @invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
    @deadline_ms = headers["Lambda-Runtime-Deadline-Ms"].to_i
    @client_context = headers["Lambda-Runtime-Client-Context"]&.then { |text| JSON.parse(text) }
    @function_name = ENV["AWS_LAMBDA_FUNCTION_NAME"]
    @function_version = ENV["AWS_LAMBDA_FUNCTION_VERSION"]
    @memory_limit_in_mb = ENV["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    @log_group_name = ENV["AWS_LAMBDA_LOG_GROUP_NAME"]
    @log_stream_name = ENV["AWS_LAMBDA_LOG_STREAM_NAME"]
  end

  def get_remaining_time_in_millis
    @deadline_ms - (Time.now.to_f * 1000).to_i
  end
end

class Runtime
  PREFIX = "/2018-06-01/runtime"

  def initialize
    host, port = ENV["AWS_LAMBDA_RUNTIME_API"].split(":")
    @http = Net::HTTP.new(host, port.to_i, nil)
    @http.read_timeout = nil # /next answers when there is an invocation, however long that takes
    @telemetry = IO.for_fd(ENV.delete("_LAMBDA_TELEMETRY_LOG_FD").to_i, "wb")
    @telemetry.sync = true
    $stdout.sync = true
    $stderr.sync = true
    @http.start
  end

  def run
    handler = load_handler(ENV["_HANDLER"])
    loop { serve(handler) }
  end

  private

  # "file.method", or "file.Module::Class.method" for a method of a module or class.
  def load_handler(name)
    file, *owner, method = name.split(".")
    raise ArgumentError, "Invalid handler #{name}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD" if method.nil?

    require File.join(ENV["LAMBDA_TASK_ROOT"], file)
    receiver = owner.empty? ? TOPLEVEL_BINDING.receiver : Object.const_get(owner.first)
    receiver.method(method)
  rescue StandardError, ScriptError => error
    fail_init(error)
  end

  def fail_init(error)
    details = describe(error, "Init")
    log(error, details)
    post("init/error", details)
    exit(1)
  end

  def serve(handler)
    answer = @http.get("#{PREFIX}/invocation/next")
    context = LambdaContext.new(answer)
    ENV["_X_AMZN_TRACE_ID"] = answer["Lambda-Runtime-Trace-Id"]
    begin
      result = JSON.generate(handler.call(event: JSON.parse(answer.body), context: context))
      send_to("invocation/#{context.aws_request_id}/response", result)
    rescue StandardError, NotImplementedError => error
      details = describe(error, "Function")
      log(error, details)
      post("invocation/#{context.aws_request_id}/error", details)
    end
  end

  def describe(error, phase)
    { errorMessage: error.message, errorType: "#{phase}<#{error.class}>", stackTrace: error.backtrace || [] }
  end

  def post(path, details)
    send_to(path, JSON.generate(details), "Lambda-Runtime-Function-Error-Type" => details[:errorType])
  end

  def send_to(path, body, headers = {})
    @http.post("#{PREFIX}/#{path}", body, { "Content-Type" => "application/json" }.merge(headers))
  end

  # One frame is one log event, however many lines it has: type, length, microseconds since 1970, text.
  def log(error, details)
    text = "Error raised from handler method\n#{JSON.generate(details)}"
    text = "#{error.class}: #{error.message}\n#{JSON.generate(details)}" if details[:errorType].start_with?("Init")
    @telemetry.write([0xa55a0003, text.bytesize, (Time.now.to_f * 1_000_000).to_i].pack("NNQ>") + text.b)
  end
end

Runtime.new.run
