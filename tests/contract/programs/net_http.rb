# Ruby's own HTTP client: takes a person's id, prints the answers' statuses.
require 'net/http'

def call(request)
  request.basic_auth(ENV['CIO_SITE_ID'], ENV['CIO_TRACK_API_KEY'])
  uri = request.uri
  Net::HTTP.start(uri.host, uri.port, use_ssl: true) { |http| http.request(request).code }
end

person = URI("https://track.customer.io/api/v1/customers/#{ARGV[0]}")
identify = Net::HTTP::Put.new(person, 'content-type' => 'application/json')
identify.body = '{"client":"net/http"}'
puts [call(identify), call(Net::HTTP::Get.new(URI('https://track-eu.customer.io/auth')))].join(' ')
