# Stands before the gem of this name: versions before 3.186, such as Debian 12's, do not read AWS_ENDPOINT_URL, and
# would send a function's calls to AWS instead of the embedded one.

gem = Gem.loaded_specs["aws-sdk-core"] || Gem::Specification.find_by_name("aws-sdk-core").tap(&:activate)
require File.join(gem.full_require_paths.first, "aws-sdk-core")
Aws.config[:endpoint] ||= ENV["AWS_ENDPOINT_URL"]
