# A Lambda runtime for Ruby: loads the handler that _HANDLER names and serves invocations from the Runtime API.
# Protocol: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. What it makes of answers, errors, puts and
# Logger is what AWS's own client makes of them: aws_lambda_ric 3.1.3 (lambda_handler.rb, lambda_errors.rb, logger_patch.rb).

$LOAD_PATH.delete(ENV["LAMBDA_TASK_ROOT"]) # until the handler is loaded: a json.rb of the function's own is not for this file

require "json"
require "logger"
require "net/http"
require "stringio"

class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name,
              :memory_limit_in_mb, :function_version, :identity, :tenant_id, :client_context, :deadline_ms

  def initialize(headers)
    @clock_diff = now_ms(Process::CLOCK_REALTIME) - now_ms(Process::CLOCK_MONOTONIC)
    @deadline_ms = headers["Lambda-Runtime-Deadline-Ms"].to_i
    @aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    @invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
    @log_group_name = ENV["AWS_LAMBDA_LOG_GROUP_NAME"]
    @log_stream_name = ENV["AWS_LAMBDA_LOG_STREAM_NAME"]
    @function_name = ENV["AWS_LAMBDA_FUNCTION_NAME"]
    @memory_limit_in_mb = ENV["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    @function_version = ENV["AWS_LAMBDA_FUNCTION_VERSION"]
    @identity = parsed(headers["Lambda-Runtime-Cognito-Identity"])
    @tenant_id = headers["Lambda-Runtime-Aws-Tenant-Id"].then { |id| id unless id.to_s.empty? }
    @client_context = parsed(headers["Lambda-Runtime-Client-Context"])
  end

  def get_remaining_time_in_millis
    [@deadline_ms - now_ms(Process::CLOCK_MONOTONIC) - @clock_diff, 0].max
  end

  private

  def now_ms(clock) = Process.clock_gettime(clock, :millisecond)

  def parsed(text) = text.to_s.empty? ? nil : JSON.parse(text)
end

module AwsLambda
  # Between JSON and what a handler takes and gives; a function may put its own methods in their place.
  class Marshaller
    class << self
      def marshall_request(raw_request)
        raw_request["Content-Type"] == "application/json" ? JSON.parse(raw_request.body) : raw_request.body
      end

      # The body, and its type where that is not JSON: what a StringIO or an IO holds is sent as it is.
      def marshall_response(method_response)
        case method_response
        when StringIO, IO then [method_response, "application/unknown"]
        else method_response.to_json
        end
      end
    end
  end
end

# The log. What goes through it is one event, however many lines it has: type, length, microseconds since 1970, text.
class TelemetryLogSink < Logger::LogDevice
  def initialize(file:)
    @file = file
    @mutex = Mutex.new
  end

  def write(message)
    frame = [0xa55a0003, message.bytesize, (Time.now.to_f * 1_000_000).to_i].pack("NNQ>") + message.b
    @mutex.synchronize { @file.write(frame) }
  end

  def reopen(*) = nil

  def close = nil
end

module AwsLambdaRIC
  TELEMETRY = TelemetryLogSink.new(
    file: IO.for_fd(ENV.delete("_LAMBDA_TELEMETRY_LOG_FD").to_i, "wb").tap { |io| io.sync = true }
  )
end
$stdout.sync = true

class LogFormatter < Logger::Formatter
  FORMAT = "%<sev>s, [%<datetime>s #%<process>d] %<severity>5s %<request_id>s -- %<progname>s: %<msg>s"

  def call(severity, time, progname, msg)
    (FORMAT % { sev: severity[0..0], datetime: format_datetime(time), process: $$, severity: severity,
                request_id: $_global_aws_request_id, progname: progname, msg: msg2str(msg) }).encode!("UTF-8")
  end
end

# A Logger that writes to standard output or error, or nowhere, writes events of the log.
module LoggerPatch
  def initialize(logdev, *rest, level: "debug", formatter: nil, **options)
    ours = !logdev || logdev == $stdout || logdev == $stderr
    super(ours ? AwsLambdaRIC::TELEMETRY : logdev, *rest, level: level, formatter: formatter || (LogFormatter.new if ours), **options)
  end
end
Logger.prepend(LoggerPatch)

module Kernel
  def puts(*arguments)
    message = arguments.flatten.collect { |each| each.to_s.encode("UTF-8") }.join("\n")
    message += "\n" if message[-1] != "\n"
    AwsLambdaRIC::TELEMETRY.write(message)
    nil
  end
end

module AwsLambdaRIC
  # What the function raised, as the caller and the log get it.
  class LambdaError < StandardError
    # The classes whose names the platform hears; of others it hears UserException.
    NAMED = %w[ArgumentError NoMethodError Exception StandardError NameError LoadError SystemExit SystemStackError].freeze

    attr_reader :response

    def initialize(error, phase = "Function")
      calls = (error.backtrace_locations || []).first(100).take_while { |call| call.absolute_path != __FILE__ }
      @response = { errorMessage: error.message, errorType: "#{phase}<#{error.class}>", stackTrace: calls.map(&:to_s) }
      @named = NAMED.include?(error.class.to_s)
      super(error)
    end

    def type_for_platform = @named ? @response[:errorType] : "Function<UserException>"

    def log(title)
      puts title
      puts JSON.pretty_generate(@response)
    end
  end

  # One after which the process ends: a NameError, and whatever is no StandardError.
  class CriticalLambdaError < LambdaError; end
end

# "file.method", or "file.Module::Class.method" for a method of a module or class. Functions are methods of it.
class LambdaHandler
  attr_reader :handler_file_name, :handler_method_name

  def initialize(env_handler:)
    parts = env_handler.split(".")
    if parts.size == 2
      @handler_file_name, @handler_method_name = parts
    elsif parts.size == 3
      @handler_file_name, @handler_class, @handler_method_name = parts
    else
      raise ArgumentError, "Invalid handler #{parts}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where FILENAME corresponds with an existing Ruby source file FILENAME.rb, CLASS is an optional module/class namespace and METHOD is a callable method. If using CLASS, METHOD must be a class-level method."
    end
  end

  def call_handler(request:, context:)
    receiver = @handler_class ? Kernel.const_get(@handler_class) : self
    response = receiver.__send__(@handler_method_name, event: request, context: context)
    AwsLambda::Marshaller.marshall_response(response)
  rescue NameError => error # a NoMethodError is one
    raise AwsLambdaRIC::CriticalLambdaError.new(error)
  rescue StandardError => error
    raise AwsLambdaRIC::LambdaError.new(error)
  rescue Exception => error
    raise AwsLambdaRIC::CriticalLambdaError.new(error)
  end
end

module AwsLambdaRIC
  class Runtime
    PREFIX = "/2018-06-01/runtime"

    def initialize
      host, port = ENV["AWS_LAMBDA_RUNTIME_API"].split(":")
      @http = Net::HTTP.new(host, port.to_i, nil)
      @http.read_timeout = nil # /next answers when there is an invocation, however long that takes
      @http.start
    end

    def run
      handler = load_handler
      loop { serve(handler) }
    end

    private

    def load_handler
      $LOAD_PATH.unshift(ENV["LAMBDA_TASK_ROOT"])
      handler = LambdaHandler.new(env_handler: ENV["_HANDLER"])
      require handler.handler_file_name
      handler
    rescue Exception => error
      told = LambdaError.new(error, "Init")
      told.log("Init error when loading handler ")
      tell("init/error", told)
      exit(-4)
    end

    def serve(handler)
      answer = @http.get("#{PREFIX}/invocation/next")
      $_global_aws_request_id = answer["Lambda-Runtime-Aws-Request-Id"]
      ENV["_X_AMZN_TRACE_ID"] = answer["Lambda-Runtime-Trace-Id"] if answer["Lambda-Runtime-Trace-Id"]
      answer_to($_global_aws_request_id) do
        handler.call_handler(request: AwsLambda::Marshaller.marshall_request(answer), context: LambdaContext.new(answer))
      end
    end

    def answer_to(request_id)
      response, type = yield
      response = response.read if type == "application/unknown"
      post("invocation/#{request_id}/response", response, "Content-Type" => type || "application/json")
    rescue CriticalLambdaError => error
      error.log("Critical exception from handler")
      tell("invocation/#{request_id}/error", error)
      exit(-1)
    rescue LambdaError => error
      error.log("Error raised from handler method")
      tell("invocation/#{request_id}/error", error)
    end

    def tell(path, error)
      post(path, error.response.to_json, "Content-Type" => "application/json",
                                         "Lambda-Runtime-Function-Error-Type" => error.type_for_platform)
    end

    def post(path, body, headers) = @http.post("#{PREFIX}/#{path}", body, headers)
  end
end

AwsLambdaRIC::Runtime.new.run
