// kafkajs behind JSON lines: one call a line in, one answer a line out. NODE_PATH says where kafkajs is.
const { Kafka, logLevel, CompressionTypes, CompressionCodecs, ConfigResourceTypes } = require('kafkajs')
try { CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy') } catch { /* snappy is then not offered */ }

const kafka = new Kafka({ brokers: process.env.BOOTSTRAP.split(','), logLevel: logLevel.NOTHING, clientId: 'kafkajs', retry: { retries: 20, maxRetryTime: 2000 } })
const refuse = reason => { throw Object.assign(new Error(reason), { notOffered: reason }) }
const text = content => content === null || content === undefined ? null : content.toString()
const pairs = headers => Object.entries(headers || {}).flatMap(([name, value]) => [value].flat().map(one => [name, text(one)]))
const record = ({ partition, message: m }) => ({ value: text(m.value), key: text(m.key), headers: pairs(m.headers), partition, timestamp: Number(m.timestamp), offset: Number(m.offset) })
const sleep = ms => new Promise(done => setTimeout(done, ms))
const producers = new Map()
const members = []
let admin

async function connected() {
  if (!admin) { admin = kafka.admin(); await admin.connect() }
  return admin
}

async function producer(idempotent) {
  if (!producers.has(idempotent)) {
    const made = kafka.producer({ idempotent, maxInFlightRequests: idempotent ? 1 : undefined })
    await made.connect()
    producers.set(idempotent, made)
  }
  return producers.get(idempotent)
}

function headersOf(list) {
  const headers = {}
  for (const [name, value] of list) headers[name] = name in headers ? [headers[name], value].flat() : value
  return headers
}

// kafkajs reads in groups only: an offset is sought in a group of its own, which commits nothing.
async function read({ topic, partition, start, count }) {
  const consumer = kafka.consumer({ groupId: `${topic}-reads-${partition}-${start}` })
  const found = []
  await consumer.connect()
  await consumer.subscribe({ topic })
  let enough
  const all = new Promise(done => { enough = done })
  await consumer.run({
    autoCommit: false,
    eachMessage: async one => {
      if (one.partition === partition && Number(one.message.offset) >= start && found.length < count && found.push(record(one)) === count) enough()
    }
  })
  consumer.seek({ topic, partition, offset: String(start) })
  await Promise.race([all, sleep(40000)])
  await consumer.disconnect()
  return found
}

async function join({ group, topic, instance }) {
  if (instance) refuse('no static membership')
  const member = { consumer: kafka.consumer({ groupId: group, sessionTimeout: 10000, heartbeatInterval: 500 }), records: [], assignment: [], rebalances: 0, offsets: {}, topic }
  const { GROUP_JOIN, REBALANCING } = member.consumer.events
  member.consumer.on(GROUP_JOIN, event => { member.assignment = event.payload.memberAssignment[topic] || []; member.rebalances++ })
  member.consumer.on(REBALANCING, () => { member.assignment = [] })
  await member.consumer.connect()
  await member.consumer.subscribe({ topic, fromBeginning: true })
  await member.consumer.run({ autoCommit: false, eachMessage: async one => { member.records.push(record(one)); member.offsets[one.partition] = Number(one.message.offset) + 1 } })
  return members.push(member) - 1
}

const calls = {
  version: async () => require('kafkajs/package.json').version,
  create: async ({ topic, partitions, configs }) => {
    const made = await (await connected()).createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 3, configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })) }] })
    if (!made) throw new Error('the topic exists')
  },
  describe: async ({ topic }) => {
    if (!(await (await connected()).listTopics()).includes(topic)) return null
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return topics[0].partitions.map(p => ({ partition: p.partitionId, leader: p.leader, replicas: p.replicas, isr: p.isr }))
  },
  delete: async ({ topic }) => (await connected()).deleteTopics({ topics: [topic] }),
  grow: async ({ topic, partitions }) => (await connected()).createPartitions({ topicPartitions: [{ topic, count: partitions }] }),
  produce: async ({ topic, records, acks, idempotent, compression }) => {
    const codec = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy }[compression]
    if (codec === undefined || !CompressionCodecs[codec] && codec) refuse(`${compression} needs a codec of its own`)
    const told = await (await producer(idempotent)).send({
      topic, acks: { 0: 0, 1: 1, all: -1 }[acks], compression: codec,
      messages: records.map(one => ({ value: one.value, key: one.key, partition: one.partition, headers: headersOf(one.headers), ...(one.timestamp ? { timestamp: String(one.timestamp) } : {}) }))
    })
    if (acks === '0') return records.map(() => null)
    const next = Object.fromEntries(told.map(part => [part.partition, Number(part.baseOffset)]))
    // When a leader moves to a broker that has already answered, kafkajs drops that partition's records and resolves all the same: only its answer shows it.
    for (const { partition } of records) if (!(partition in next)) throw new Error(`kafkajs resolved a send without an offset for partition ${partition}`)
    return records.map(one => next[one.partition]++)
  },
  transact: async ({ topic, records, commit }) => {
    if (!producers.has(topic)) {
      producers.set(topic, kafka.producer({ transactionalId: topic, idempotent: true, maxInFlightRequests: 1, retry: { retries: 5 } }))
      await producers.get(topic).connect()
    }
    const transaction = await producers.get(topic).transaction()
    await transaction.send({ topic, messages: records.map(({ value, partition }) => ({ value, partition })) })
    await (commit ? transaction.commit() : transaction.abort())
  },
  read,
  offsetAt: async ({ topic, partition, ms }) => {
    const [found, ends] = [await (await connected()).fetchTopicOffsetsByTimestamp(topic, ms), await admin.fetchTopicOffsets(topic)]
    const offset = Number(found.find(one => one.partition === partition).offset)
    return offset < 0 || offset === Number(ends.find(one => one.partition === partition).high) ? null : offset // kafkajs itself turns "none" into the end
  },
  ends: async ({ topic, partition }) => {
    const found = (await (await connected()).fetchTopicOffsets(topic)).find(one => one.partition === partition)
    return [Number(found.low), Number(found.high)]
  },
  join,
  poll: async ({ member, ms }) => {
    await sleep(ms)
    const { records, assignment, rebalances } = members[member]
    members[member].records = []
    return { records, assignment, rebalances }
  },
  commit: async ({ member }) => members[member].consumer.commitOffsets(Object.entries(members[member].offsets).map(([partition, offset]) => ({ topic: members[member].topic, partition: Number(partition), offset: String(offset) }))),
  leave: async ({ member }) => members[member].consumer.disconnect(),
  groups: async () => (await (await connected()).listGroups()).groups.map(one => one.groupId),
  group: async ({ group }) => {
    const { groups } = await (await connected()).describeGroups([group])
    return [groups[0].state, groups[0].members.length]
  },
  deleteGroup: async ({ group }) => (await connected()).deleteGroups([group]),
  reset: async ({ group, topic, partition, offset }) => (await connected()).setOffsets({ groupId: group, topic, partitions: [{ partition, offset: String(offset) }] }),
  deleteRecords: async ({ topic, partition, before }) => {
    await (await connected()).fetchTopicOffsets(topic) // it must have heard of the topic before it looks for the leader
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] })
  },
  configs: async ({ topic }) => {
    const { resources } = await (await connected()).describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }] })
    return Object.fromEntries(resources[0].configEntries.map(one => [one.configName, one.configValue]))
  },
  alter: async ({ topic, name, value }) => (await connected()).alterConfigs({ validateOnly: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name, value }] }] })
}

let last = Promise.resolve()
require('readline').createInterface({ input: process.stdin }).on('line', line => {
  const call = JSON.parse(line)
  last = last.then(() => calls[call.call](call)).then(result => ({ result: result === undefined ? null : result }), error => error.notOffered ? { notOffered: error.notOffered } : { error: `${error.name}: ${error.message}` })
    .then(answer => process.stdout.write(JSON.stringify(answer) + '\n'))
}).on('close', () => process.exit(0))
