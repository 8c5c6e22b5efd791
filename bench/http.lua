-- What wrk sends for bench/http: wrk … -- CASE FOLDER RUN BACKUPS.  FOLDER/document is the document that create and insert send,
-- each time of another resource; restore asks for one of backups 1 to BACKUPS.
local count = 0

local function read(name)
	local file = assert(io.open(name))
	local text = file:read("*a")
	file:close()
	return text
end

function init(args)
	local case, run, backups = args[1], args[3], tonumber(args[4])
	wrk.method = "POST"
	if case == "restore" then
		path = "/restore"
		body = function() return '{"backupId": "backup-' .. math.random(backups) .. '"}' end
	else
		path = "/backups"
		local rest = '", "data": ' .. read(args[2] .. "/document") .. "}"
		body = function() return '{"resourceId": "' .. case .. "-" .. run .. "-" .. count .. rest end
	end
end

function request()
	count = count + 1
	return wrk.format(nil, path, nil, body())
end
