-- For wrk: publishes files of one size, each as a new version of a package, no two with the same content.
local folder, head, middle, rest
local count = 0

function init(args)
  local size = tonumber(args[2])
  folder = args[1]
  local function beginning() return folder .. string.format("%012d", 0) end
  rest = string.rep("x", size - #beginning())
  head, middle = wrk.format("PUT", "/PATH", nil, beginning() .. rest):match("^(.-)/PATH(.-\r\n\r\n)")
end

function request()
  count = count + 1
  return table.concat({ head, folder, "/", count, "/file.bin", middle, folder, string.format("%012d", count), rest })
end
